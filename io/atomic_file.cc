#include "io/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <system_error>
#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 20U;

std::filesystem::path folder_of(const std::filesystem::path& target) {
  const std::filesystem::path folder = target.parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

/// Unique within the machine: process id and a counter of this process.
std::filesystem::path temporary_beside(const std::filesystem::path& target) {
  static std::atomic<unsigned> counter{0};
  return folder_of(target) / ("." + target.filename().string() + ".tmp-" +
                              std::to_string(::getpid()) + "-" + std::to_string(counter++));
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target)
    : target_(std::move(target)), temporary_(temporary_beside(target_)) {
  struct stat info {};
  if (::stat(target_.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    throw InputError(target_.string(), "write", "the target exists and is not a regular file");
  }
  file_.reset(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file_.get() < 0) fail(errno);
}

AtomicFile::~AtomicFile() {
  if (file_.get() >= 0) ::unlink(temporary_.c_str());
}

void AtomicFile::fail(int error) const {
  throw InputError(target_.string(), "write", system_message(error));
}

void AtomicFile::write(const void* data, std::size_t size) {
  CDT_CHECK(file_.get() >= 0, "write() after commit(): " + target_.string());
  const auto* from = static_cast<const char*>(data);
  if (buffer_.size() + size > kBufferSize) flush();
  if (size >= kBufferSize) {
    write_through(from, size);
  } else {
    buffer_.append(from, size);
  }
}

void AtomicFile::flush() {
  write_through(buffer_.data(), buffer_.size());
  buffer_.clear();
}

void AtomicFile::write_through(const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t n = ::write(file_.get(), data, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(errno);
    data += n;
    size -= static_cast<std::size_t>(n);
  }
}

void AtomicFile::commit() {
  CDT_CHECK(file_.get() >= 0, "commit() twice: " + target_.string());
  flush();
  // After a failed fsync the pages count as clean, so a second try would lie: give up at once.
  if (::fsync(file_.get()) != 0) fail(errno);
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
  file_.reset();
  const FileDescriptor folder(
      ::open(folder_of(target_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems cannot sync a folder (EINVAL); an unreadable one cannot be opened.
  if (folder.get() >= 0 && ::fsync(folder.get()) != 0 && errno != EINVAL) fail(errno);
}

void write_file(const std::filesystem::path& target, std::string_view content) {
  AtomicFile file(target);
  file.write(content);
  file.commit();
}

void create_output_directory(const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (!error && !std::filesystem::is_directory(directory, error)) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  if (error) throw InputError(directory.string(), "create", system_message(error.value()));
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    throw InputError(directory.string(), "write", system_message(errno));
  }
}

std::uint64_t free_space(const std::filesystem::path& directory) {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0) {
    throw InputError(directory.string(), "free space", system_message(errno));
  }
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

}  // namespace cdt

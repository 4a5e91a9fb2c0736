#include "io/format/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <random>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "io/format/file_lock.h"
#include "io/format/warning.h"

namespace cdt {
namespace {

constexpr std::size_t kBufferSize = std::size_t{1} << 20U;
constexpr std::string_view kInfix = ".cdt-tmp-";
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kRandomDigits = 16;
constexpr std::size_t kNameLimit =
    200;  // of the target in the temporary's name, which may have 255
constexpr int kAttempts = 100;

std::filesystem::path folder_of(const std::filesystem::path& target) {
  const std::filesystem::path folder = target.parent_path();
  return folder.empty() ? std::filesystem::path(".") : folder;
}

/// All before the random digits.
std::string temporary_prefix(const std::string& name) {
  return "." + name.substr(0, kNameLimit) + std::string(kInfix);
}

std::string random_digits() {
  std::random_device random;
  std::string out;
  for (std::size_t i = 0; i < kRandomDigits; ++i) out += kDigits[random() % kDigits.size()];
  return out;
}

bool is_temporary(std::string_view name, const std::string& of_target) {
  if (name.size() <= kInfix.size() + kRandomDigits || name.front() != '.') return false;
  const std::string_view start = name.substr(0, name.size() - kRandomDigits);
  const std::string_view digits = name.substr(start.size());
  if (digits.find_first_not_of(kDigits) != std::string_view::npos) return false;
  return of_target.empty() ? start.ends_with(kInfix) : start == temporary_prefix(of_target);
}

void remove_if_dead(const std::filesystem::path& temporary) {
  const FileDescriptor file(
      ::open(temporary.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0 || try_lock(file) != 0 || !is_linked(file, temporary)) return;
  ::unlink(temporary.c_str());
}

}  // namespace

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  struct stat info {};
  if (::stat(target_.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    throw InputError(target_.string(), "write", "the target exists and is not a regular file");
  }
  open_temporary();
}

AtomicFile::~AtomicFile() {
  if (file_.get() >= 0) ::unlink(temporary_.c_str());
}

void AtomicFile::open_temporary() {
  const std::string prefix = temporary_prefix(target_.filename().string());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    temporary_ = folder_of(target_) / (prefix + random_digits());
    file_.reset(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file_.get() < 0 && errno != EEXIST) fail(errno);
    if (file_.get() < 0) continue;
    // Before the lock is ours, sweep_temporaries() of another process may take the file for dead.
    if (try_lock(file_) != EWOULDBLOCK && is_linked(file_, temporary_)) return;
    file_.reset();
  }
  fail(EEXIST);
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

void AtomicFile::flush_to_disk() {
  CDT_CHECK(file_.get() >= 0, "flush_to_disk() after commit(): " + target_.string());
  flush();
  // After a failed fsync the pages count as clean, so a second try would lie: give up at once.
  sync_to_disk(file_, target_);
}

void AtomicFile::commit() {
  CDT_CHECK(file_.get() >= 0, "commit() twice: " + target_.string());
  flush_to_disk();
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
  file_.reset();
  sync_folder(folder_of(target_));
}

void write_file(const std::filesystem::path& target, std::string_view content) {
  AtomicFile file(target);
  file.write(content);
  file.commit();
}

void sweep_temporaries(const std::filesystem::path& folder, const std::string& name) {
  std::error_code error;
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (is_temporary(entry.path().filename().native(), name)) found.push_back(entry.path());
  }
  for (const std::filesystem::path& temporary : found) remove_if_dead(temporary);
}

void sync_to_disk(const FileDescriptor& file, const std::filesystem::path& path) {
  if (::fsync(file.get()) == 0) return;
  const int error = errno;
  if (error != EINVAL && error != ENOSYS && error != EOPNOTSUPP && error != ENOTSUP) {
    throw InputError(path.string(), "write", system_message(error));
  }
  warn(folder_of(path).string() + ": cannot be flushed to disk (" + system_message(error) +
       "); a power failure may take what was written last");
}

void sync_folder(const std::filesystem::path& folder) {
  const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() >= 0) sync_to_disk(opened, folder / ".");
}

}  // namespace cdt

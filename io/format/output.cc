#include "io/format/output.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <limits>
#include <random>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kBufferSize = std::size_t{1} << 20U;
constexpr std::string_view kInfix = ".cdt-tmp-";
constexpr std::string_view kDigits = "0123456789abcdef";
constexpr std::size_t kRandomDigits = 16;
constexpr std::size_t kNameLimit =
    200;  // of the target's name, of the 255 bytes that a temporary's name may have
constexpr int kAttempts = 100;

fs::path folder_of(const fs::path& target) {
  const fs::path folder = target.parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

/// Start of a temporary's name, up to the random digits.
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

void remove_if_dead(const fs::path& temporary) {
  const FileDescriptor file(
      ::open(temporary.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0 || try_lock(file) != 0 || !is_linked(file, temporary)) return;
  ::unlink(temporary.c_str());
}

/// Drops a trailing slash: "a/b/" and "a/b" name the same thing, but the system follows a link for
/// the former.
fs::path without_slash(const fs::path& path) {
  return path.has_filename() ? path : path.parent_path();
}

/// The path and those of its parent folders that do not exist, innermost first.
std::vector<fs::path> missing_folders(const fs::path& directory) {
  std::vector<fs::path> out;
  std::error_code error;  // a folder that cannot be looked at cannot be made either
  for (fs::path at = without_slash(directory);
       !at.empty() && !fs::exists(fs::symlink_status(at, error)); at = at.parent_path()) {
    out.push_back(at);
  }
  return out;
}

void refuse_link_to_nothing(const fs::path& directory) {
  for (fs::path at = without_slash(directory); !at.empty() && at != at.parent_path();
       at = at.parent_path()) {
    std::error_code error;
    if (!fs::is_symlink(fs::symlink_status(at, error)) || fs::exists(at, error)) continue;
    throw InputError(
        at.string(), "create",
        "is a link to " + fs::read_symlink(at, error).string() + ", which does not exist");
  }
}

}  // namespace

AtomicFile::AtomicFile(fs::path target) : target_(std::move(target)) {
  struct stat info {};
  if (::stat(target_.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    throw InputError(target_.string(), "write", "the target exists and is not a regular file");
  }
  open_temporary();
}

AtomicFile::~AtomicFile() {
  if (file_.get() >= 0 || set_aside_) ::unlink(temporary_.c_str());
}

void AtomicFile::open_temporary() {
  const std::string prefix = temporary_prefix(target_.filename().string());
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    temporary_ = folder_of(target_) / (prefix + random_digits());
    file_.reset(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (file_.get() < 0 && errno != EEXIST) fail(errno);
    if (file_.get() < 0) continue;
    // Until we hold the lock, sweep_temporaries() of another process may take the file for
    // abandoned.
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
  // After a failed fsync the kernel marks the pages clean, so a retry would falsely succeed: give
  // up at once.
  sync_to_disk(file_, target_);
}

void AtomicFile::set_aside() {
  flush_to_disk();
  set_aside_ = true;
  file_.reset();
}

void AtomicFile::commit() {
  CDT_CHECK(file_.get() >= 0 || set_aside_, "commit() twice: " + target_.string());
  if (!set_aside_) flush_to_disk();
  publish();
  sync_folder(folder_of(target_));
}

void AtomicFile::publish() {
  CDT_CHECK(file_.get() >= 0 || set_aside_, "publish() twice: " + target_.string());
  if (!set_aside_) flush();
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) fail(errno);
  file_.reset();
  set_aside_ = false;
}

LinkedFile::LinkedFile(const fs::path& source, fs::path target)
    : target_(std::move(target)),
      temporary_(folder_of(target_) /
                 (temporary_prefix(target_.filename().string()) + random_digits())) {
  std::error_code error;
  const fs::path origin = fs::canonical(source, error);
  if (!error) fs::create_hard_link(origin, temporary_, error);
  if (error && !origin.empty()) fs::create_symlink(origin, temporary_, error);
  if (error) {
    throw InputError(target_.string(), "link",
                     "cannot be linked to " + source.string() + ": " + error.message());
  }
}

LinkedFile::~LinkedFile() {
  if (!done_) ::unlink(temporary_.c_str());
}

void LinkedFile::commit() {
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    throw InputError(target_.string(), "link", system_message(errno));
  }
  done_ = true;
  ::unlink(temporary_.c_str());  // still there if the target already was a link to the same file
  sync_folder(folder_of(target_));
}

void write_file(const fs::path& target, std::string_view content) {
  AtomicFile file(target);
  file.write(content);
  file.commit();
}

void sweep_temporaries(const fs::path& folder, const std::string& name) {
  std::error_code unread;
  for (const fs::path& entry : entries_of(folder, &unread)) {
    if (is_temporary(entry.filename().native(), name)) remove_if_dead(entry);
  }
}

void sync_to_disk(const FileDescriptor& file, const fs::path& path) {
  if (::fsync(file.get()) == 0) return;
  const int error = errno;
  if (error != EINVAL && error != ENOSYS && error != EOPNOTSUPP && error != ENOTSUP) {
    throw InputError(path.string(), "write", system_message(error));
  }
  warn(folder_of(path).string() + ": cannot be flushed to disk (" + system_message(error) +
       "); a power failure may lose what was written last");
}

void sync_folder(const fs::path& folder) {
  const FileDescriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened.get() >= 0) sync_to_disk(opened, folder / ".");
}

bool remove_file(const fs::path& file) {
  std::error_code error;
  const bool removed = fs::remove(file, error);
  if (error) throw InputError(file.string(), "remove", system_message(error.value()));
  return removed;
}

void remove_for_good(const fs::path& file) {
  if (remove_file(file)) sync_folder(folder_of(file));
}

void create_output_directory(const fs::path& directory) {
  refuse_link_to_nothing(directory);
  const std::vector<fs::path> missing = missing_folders(directory);
  std::error_code error;
  fs::create_directories(directory, error);
  if (!error && !fs::is_directory(directory, error)) {
    error = std::make_error_code(std::errc::not_a_directory);
  }
  if (error) throw InputError(directory.string(), "create", system_message(error.value()));
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    throw InputError(directory.string(), "write", system_message(errno));
  }
  for (const fs::path& made : missing) sync_folder(folder_of(made));
}

MadeFolder::MadeFolder(fs::path directory)
    : path_(std::move(directory)), made_(missing_folders(path_)) {
  try {
    create_output_directory(path_);
  } catch (const InputError&) {
    remove_empty();
    throw;
  }
}

MadeFolder::~MadeFolder() { remove_empty(); }

void MadeFolder::remove_empty() const {
  for (const fs::path& folder : made_) ::rmdir(folder.c_str());
}

std::uint64_t free_space(const fs::path& directory) {
  struct statvfs info {};
  if (::statvfs(directory.c_str(), &info) != 0) {
    throw InputError(directory.string(), "free space", system_message(errno));
  }
  if (info.f_blocks == 0) {  // the file system does not report its size
    return std::numeric_limits<std::uint64_t>::max();
  }
  return std::uint64_t{info.f_bavail} * info.f_frsize;
}

void require_free_space(const fs::path& directory, std::uint64_t bytes) {
  const std::uint64_t free = free_space(directory);
  if (free >= bytes) return;
  throw InputError(directory.string(), "free space",
                   expected_got("the volume is too full", std::to_string(bytes) + " bytes",
                                std::to_string(free)));
}

}  // namespace cdt

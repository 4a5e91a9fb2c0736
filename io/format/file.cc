#include "io/format/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

int lock(const FileDescriptor& file, int operation) {
  while (::flock(file.get(), operation) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

}  // namespace

void FileDescriptor::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::file_type type = std::filesystem::symlink_status(path, error).type();
  if (type == std::filesystem::file_type::none) {
    throw InputError(path.string(), "open", system_message(error.value()));
  }
  return type != std::filesystem::file_type::not_found;
}

std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder,
                                              std::error_code* error) {
  std::vector<std::filesystem::path> out;
  // A range-for over a directory_iterator would throw if the folder becomes unreadable.
  for (std::filesystem::directory_iterator at(folder, *error), end; !*error && at != end;
       at.increment(*error)) {
    out.push_back(at->path());
  }
  if (*error == std::errc::no_such_file_or_directory || *error == std::errc::not_a_directory) {
    error->clear();
  }
  return out;
}

std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::filesystem::path> out = entries_of(folder, &error);
  if (error) throw InputError(folder.string(), "read", system_message(error.value()));
  return out;
}

std::string system_message(int error) { return std::generic_category().message(error); }

FileDescriptor open_for_reading(const std::filesystem::path& path) {
  // Non-blocking, so that a named pipe is refused below instead of waited for.
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) throw InputError(path.string(), "open", system_message(errno));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) {
    throw InputError(path.string(), "open", system_message(errno));
  }
  if (S_ISDIR(info.st_mode)) throw InputError(path.string(), "open", "is a folder, not a file");
  if (!S_ISREG(info.st_mode)) throw InputError(path.string(), "open", "is not a regular file");
  return file;
}

std::size_t file_size(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) {
    throw InputError(path.string(), "size", system_message(errno));
  }
  return static_cast<std::size_t>(info.st_size);
}

void read_exactly(const FileDescriptor& file, const std::filesystem::path& path,
                  std::uint64_t offset, void* out, std::size_t size) {
  auto* to = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t n = ::pread(file.get(), to, size, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw InputError(path.string(), "read", system_message(errno));
    if (n == 0) {
      throw Error(printable(path.string()) +
                  ": size: the file was cut short while it was in use (at byte " +
                  std::to_string(offset) + ", " + std::to_string(size) + " bytes too early)");
    }
    to += n;
    offset += static_cast<std::uint64_t>(n);
    size -= static_cast<std::size_t>(n);
  }
}

int try_lock(const FileDescriptor& file) { return lock(file, LOCK_EX | LOCK_NB); }

int wait_for_lock(const FileDescriptor& file, bool shared) {
  return lock(file, shared ? LOCK_SH : LOCK_EX);
}

bool is_linked(const FileDescriptor& file, const std::filesystem::path& path) {
  struct stat open_file {};
  struct stat named {};
  return ::fstat(file.get(), &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

FileDescriptor lock_file(const std::filesystem::path& path, const std::string& busy) {
  while (true) {
    FileDescriptor file(
        ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666));
    if (file.get() < 0 && errno == ELOOP) throw InputError(path.string(), "lock", "is a link");
    if (file.get() < 0) throw InputError(path.string(), "lock", system_message(errno));
    struct stat info {};
    if (::fstat(file.get(), &info) == 0 && info.st_nlink > 1) {
      throw InputError(path.string(), "lock", "is another file's name too (a hard link)");
    }
    const int error = try_lock(file);
    if (error == EWOULDBLOCK) throw InputError(path.parent_path().string(), "lock", busy);
    if (error != 0) {
      warn(path.string() + ": cannot be locked (" + system_message(error) +
           "); a second program in this folder would not be noticed");
      return file;
    }
    // The previous holder may have removed the file between our open() and our lock.
    if (is_linked(file, path)) return file;
  }
}

}  // namespace cdt

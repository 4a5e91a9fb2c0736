#include "io/format/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "engine/error.h"

namespace cdt {

void FileDescriptor::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::symlink_status(path, error));
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

InputFile::InputFile(std::filesystem::path path)
    : path_(std::move(path)), file_(open_for_reading(path_)), size_(file_size(file_, path_)) {}

void InputFile::read(std::uint64_t offset, void* out, std::size_t size) const {
  read_exactly(file_, path_, offset, out, size);
}

std::string InputFile::head(std::size_t limit) const {
  std::string bytes(std::min(size_, limit), '\0');
  read(0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace cdt

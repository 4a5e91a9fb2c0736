// The InputFile of file.h. By itself, so that the fuzz targets can link one that is in memory.
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "engine/error.h"
#include "io/format/file.h"

namespace cdt {

InputFile::InputFile(std::filesystem::path path)
    : path_(std::move(path)), file_(open_for_reading(path_)), size_(file_size(file_, path_)) {}

std::string InputFile::version() const {
  struct stat info {};
  std::error_code error;
  const std::filesystem::path place = std::filesystem::canonical(path_, error);
  if (error || ::fstat(file_.get(), &info) != 0) {
    throw InputError(path_.string(), "open", system_message(error ? error.value() : errno));
  }
  std::string out = place.string() + '\n' + std::to_string(info.st_size);
  for (const struct timespec& time : {info.st_mtim, info.st_ctim}) {
    out += '\n' + std::to_string(time.tv_sec) + '.' + std::to_string(time.tv_nsec);
  }
  return out;
}

void InputFile::fetch(std::uint64_t offset, std::size_t size) const {
  // A request for more than the read-ahead of the file system, 128 KiB unless set otherwise, is cut
  // down to that.
  constexpr std::size_t kPiece = std::size_t{128} << 10U;
  for (std::size_t at = 0; at < size; at += kPiece) {
    ::posix_fadvise(file_.get(), static_cast<off_t>(offset + at),
                    static_cast<off_t>(std::min(kPiece, size - at)), POSIX_FADV_WILLNEED);
  }
}

void InputFile::read(std::uint64_t offset, void* out, std::size_t size) const {
  read_exactly(file_, path_, offset, out, size);
}

std::string InputFile::head(std::size_t limit) const {
  std::string bytes(std::min(size_, limit), '\0');
  read(0, bytes.data(), bytes.size());
  return bytes;
}

}  // namespace cdt

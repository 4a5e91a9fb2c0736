#include "io/format/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "engine/error.h"
#include "io/format/warning.h"

namespace cdt {

int try_lock(const FileDescriptor& file) {
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
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
    // The one that held it may have removed it between our open() and our lock.
    if (is_linked(file, path)) return file;
  }
}

}  // namespace cdt

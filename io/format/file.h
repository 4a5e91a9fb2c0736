// Open files as values: regular files only, read in full; every failure is one line naming the
// file. Files are read, never memory-mapped: if a mapped file shrinks or its disk fails, the
// program ends with SIGBUS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace cdt {

/// Owns one file descriptor; closes it without throwing.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() { reset(); }
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return fd_; }
  void reset(int fd = -1) noexcept;

 private:
  int fd_ = -1;
};

/// Whether the name exists, even as a dangling link. Throws InputError if that cannot be told.
bool is_there(const std::filesystem::path& path);

/// Paths of what the folder holds, in any order; none if it is not there or no folder. Throws
/// InputError if it cannot be read; with `error`, sets that and returns what could be read.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder,
                                              std::error_code* error);

/// strerror(error), e.g. "No space left on device".
std::string system_message(int error);

/// Opens an existing regular file; throws InputError if it is missing, unreadable, a folder or a
/// device.
FileDescriptor open_for_reading(const std::filesystem::path& path);
/// Size in bytes of an open file.
std::size_t file_size(const FileDescriptor& file, const std::filesystem::path& path);
/// Reads exactly `size` bytes from `offset`, a range that was within the file when file_size() was
/// called. Throws Error if the file has been cut short since, InputError if the system cannot read
/// it.
void read_exactly(const FileDescriptor& file, const std::filesystem::path& path,
                  std::uint64_t offset, void* out, std::size_t size);

/// A regular file that stays open and is read piece by piece, from any thread.
class InputFile {
 public:
  explicit InputFile(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  int descriptor() const { return file_.get(); }
  /// Size in bytes at the time of opening.
  std::size_t size() const { return size_; }
  /// Identifies the version of the file that is open: its place and size, and when its content and
  /// its inode last changed, in nanoseconds. Another version differs, also if a copy has set the
  /// time of the content.
  std::string version() const;
  /// Asks the system to fetch a range that will be read whole. Without it a file system with
  /// latency has one or two requests on the way at a time, however much a read asks for.
  void fetch(std::uint64_t offset, std::size_t size) const;
  /// Reads like read_exactly().
  void read(std::uint64_t offset, void* out, std::size_t size) const;
  /// The first bytes of the file, at most `limit`.
  std::string head(std::size_t limit) const;

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  std::size_t size_;
};

/// Tries to lock the file of this descriptor without waiting. Returns 0, EWOULDBLOCK if someone
/// else holds the lock, or the error code that tells why files cannot be locked here.
int try_lock(const FileDescriptor& file);

/// Waits for a lock on the file of this descriptor, which dead processes do not hold; returns 0 or
/// an error code. shared: with others that share it.
int wait_for_lock(const FileDescriptor& file, bool shared);

/// Whether this name still refers to the open file.
bool is_linked(const FileDescriptor& file, const std::filesystem::path& path);

/// Opens or creates the file and locks it. Throws InputError(its folder, "lock", busy) if another
/// process holds the lock; warns if the file system has no locks.
FileDescriptor lock_file(const std::filesystem::path& path, const std::string& busy);

}  // namespace cdt

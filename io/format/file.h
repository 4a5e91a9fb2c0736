// Open files as values: regular files only, whole reads, every failure one line naming the file.
// Files are read, never mapped: a file that shrinks or a disk that fails under a map ends the
// program with SIGBUS.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

namespace cdt {

/// Owns one descriptor; closes it without throwing.
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

/// Does the name exist, be it a link to nothing?
bool is_there(const std::filesystem::path& path);

/// strerror(error), e.g. "No space left on device".
std::string system_message(int error);

/// Opens an existing regular file; InputError for a missing or unreadable file, a folder or a
/// device.
FileDescriptor open_for_reading(const std::filesystem::path& path);
/// Size in bytes of an open file.
std::size_t file_size(const FileDescriptor& file, const std::filesystem::path& path);
/// Exactly `size` bytes from `offset`, which lay within the file when file_size() was asked. Error
/// if it ends before: somebody cut it short meanwhile. InputError if the system cannot read it.
void read_exactly(const FileDescriptor& file, const std::filesystem::path& path,
                  std::uint64_t offset, void* out, std::size_t size);

/// A regular file that stays open and is read piece by piece, from any thread.
class InputFile {
 public:
  explicit InputFile(std::filesystem::path path);

  const std::filesystem::path& path() const { return path_; }
  /// Size in bytes when it was opened.
  std::size_t size() const { return size_; }
  /// As read_exactly().
  void read(std::uint64_t offset, void* out, std::size_t size) const;
  /// The first bytes, at most `limit`.
  std::string head(std::size_t limit) const;

 private:
  std::filesystem::path path_;
  FileDescriptor file_;
  std::size_t size_;
};

/// Takes the file for this descriptor, without waiting: 0, EWOULDBLOCK if another one holds it, or
/// the reason why files cannot be locked here.
int try_lock(const FileDescriptor& file);

/// Does this name still belong to the open file?
bool is_linked(const FileDescriptor& file, const std::filesystem::path& path);

/// Opens, or makes, the file and locks it. InputError(its folder, "lock", busy) if another process
/// holds it; where the file system has no locks, a warning.
FileDescriptor lock_file(const std::filesystem::path& path, const std::string& busy);

}  // namespace cdt

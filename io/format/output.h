// Output: files are written whole or not at all; folders made for them are removed if they stay
// empty.
//
// A file is written to a temporary beside the target, flushed, then renamed. The temporary is named
// ".TARGET.cdt-tmp-" and 16 random digits, and its writer holds a lock on it: the lock of a writer
// that died is free, so that sweep_temporaries() takes away its temporaries and no other's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/file.h"

namespace cdt {

/// Every failure (full disk, unwritable folder, ...) is InputError(target, "write", ...), and the
/// temporary is gone afterwards. A target that exists is replaced by commit() and not touched
/// before; one that is not a regular file is refused.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  /// Removes the temporary unless commit() succeeded.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Writes what is buffered and syncs the file: what fails for lack of room fails here.
  void flush_to_disk();
  /// flush_to_disk(), renames the file, syncs the folder.
  void commit();

  const std::filesystem::path& target() const { return target_; }
  /// Where the content is until commit(), for a library that writes to named files itself.
  const std::filesystem::path& temporary() const { return temporary_; }

 private:
  void open_temporary();
  void flush();
  void write_through(const char* data, std::size_t size);
  [[noreturn]] void fail(int error) const;

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  FileDescriptor file_;
  std::string buffer_;
};

/// `content` becomes the whole file.
void write_file(const std::filesystem::path& target, std::string_view content);

/// Removes what dead processes left of files they were writing into the folder; with a name, of the
/// file of that name only.
void sweep_temporaries(const std::filesystem::path& folder, const std::string& name = "");

/// Flushes the names in a folder to disk; where the file system cannot, a warning. InputError if
/// that fails; a folder that cannot be read cannot be synced.
void sync_folder(const std::filesystem::path& folder);

/// Makes the folder and its parents; InputError if that fails, if it is a file or a link to
/// nothing, or if it cannot be written to.
void create_output_directory(const std::filesystem::path& directory);

/// create_output_directory(), and the destructor takes away the folders that were made here and are
/// still empty: a program that fails leaves nothing.
class MadeFolder {
 public:
  explicit MadeFolder(std::filesystem::path directory);
  ~MadeFolder();
  MadeFolder(const MadeFolder&) = delete;
  MadeFolder& operator=(const MadeFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  void remove_empty() const;

  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  // the innermost first
};

/// Free bytes for an ordinary user on the volume of an existing folder.
std::uint64_t free_space(const std::filesystem::path& directory);

/// InputError(directory, "free space", ...) if fewer than `bytes` are free.
void require_free_space(const std::filesystem::path& directory, std::uint64_t bytes);

}  // namespace cdt

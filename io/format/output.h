// Writes files completely or not at all, and removes folders made for them if they stay empty.
//
// A file is written to a temporary beside the target, flushed, then renamed. The temporary is named
// ".TARGET.cdt-tmp-" and 16 random digits, and its writer holds a lock on it. A dead writer's lock
// is free, so sweep_temporaries() removes its temporaries and no others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/file.h"

namespace cdt {

/// A file that appears under its name only when complete. Every failure (full disk, unwritable
/// folder, ...) throws InputError(target, "write", ...) and removes the temporary. commit()
/// replaces an existing target, which is untouched until then; a target that is not a regular file
/// is refused.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  /// Removes the temporary unless commit() succeeded.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, std::size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  /// Writes buffered data and syncs the file, so that a lack of space shows here.
  void flush_to_disk();
  /// Calls flush_to_disk() and closes the file until commit(), because a program may not have many
  /// files open. In a folder that is locked only: the temporary is no longer.
  void set_aside();
  /// Calls flush_to_disk(), renames the file and syncs the folder.
  void commit();
  /// Renames the file without syncing it, for content that its readers check: a power failure may
  /// leave it damaged.
  void publish();

  const std::filesystem::path& target() const { return target_; }
  /// Path of the content until commit().
  const std::filesystem::path& temporary() const { return temporary_; }

 private:
  void open_temporary();
  void flush();
  void write_through(const char* data, std::size_t size);
  [[noreturn]] void fail(int error) const;

  std::filesystem::path target_;
  std::filesystem::path temporary_;
  FileDescriptor file_;
  bool set_aside_ = false;
  std::string buffer_;
};

/// Writes a file that holds exactly `content`.
void write_file(const std::filesystem::path& target, std::string_view content);

/// A second name of an existing file: a hard link, or, on another file system, a symbolic link. It
/// appears on commit(), and replaces what has that name. Failures throw InputError(target, "link").
class LinkedFile {
 public:
  LinkedFile(const std::filesystem::path& source, std::filesystem::path target);
  /// Removes the temporary unless commit() succeeded.
  ~LinkedFile();
  LinkedFile(const LinkedFile&) = delete;
  LinkedFile& operator=(const LinkedFile&) = delete;

  void commit();
  const std::filesystem::path& target() const { return target_; }

 private:
  std::filesystem::path target_, temporary_;
  bool done_ = false;
};

/// Removes temporaries that dead processes left in the folder; if a name is given, only those of
/// that file.
void sweep_temporaries(const std::filesystem::path& folder, const std::string& name = "");

/// Flushes an open file or folder to disk; warns if the file system cannot. Throws InputError(path,
/// "write", ...) if it fails.
void sync_to_disk(const FileDescriptor& file, const std::filesystem::path& path);

/// Flushes the names in a folder to disk; warns if the file system cannot. Throws InputError if
/// that fails. A folder that cannot be read cannot be synced.
void sync_folder(const std::filesystem::path& folder);

/// Removes a file or an empty folder; false if there is none. Throws InputError.
bool remove_file(const std::filesystem::path& file);

/// Removes a file, if it is there, so that a power failure does not bring it back: for the file
/// that identifies an output, before the others are replaced. Throws InputError.
void remove_for_good(const std::filesystem::path& file);

/// Creates the folder and its parents, also on disk. Throws InputError if that fails, if the path
/// is a file or a dangling link, or if the folder is not writable.
void create_output_directory(const std::filesystem::path& directory);

/// Calls create_output_directory(); the destructor removes the folders created here that are still
/// empty, so that a program that fails leaves nothing behind.
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
  std::vector<std::filesystem::path> made_;  // innermost first
};

/// Free bytes available to an ordinary user on the volume of an existing folder.
std::uint64_t free_space(const std::filesystem::path& directory);

/// Throws InputError(directory, "free space", ...) if fewer than `bytes` are free.
void require_free_space(const std::filesystem::path& directory, std::uint64_t bytes);

}  // namespace cdt

// A folder on a local disk in which processes of one machine share copies of parts of files that
// are slow to read, within a bound (docs/formats.md). It has a subfolder for each version of a
// file, so a file that has changed never meets copies of what it was.
//
// A process holds a shared lock on the subfolder it uses, and an exclusive one on the whole while
// it joins, which is when room is made: subfolders that nobody uses are removed, the one whose last
// use is longest ago first. The locks of a process that dies are free at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "io/format/file.h"

namespace cdt {

struct CachePlace {
  std::filesystem::path folder;
  std::uint64_t bytes = 0;  // that all copies may take; 0: what the volume has, less a margin
};

/// A process's use of the subfolder for one version of a file, which is cut into parts of one size.
/// The parts that may be kept are the first ones: with every part read once an epoch, in any order,
/// no other choice is hit more often, and none has to be replaced.
class CacheFolder {
 public:
  /// Joins, creating what is missing. version: as InputFile::version(). Removes temporaries of dead
  /// processes. Throws InputError if the folder cannot be created, written to or locked.
  CacheFolder(const CachePlace& place, const std::string& file, const std::string& version,
              std::int64_t parts, std::uint64_t part_bytes);

  /// How many parts may be kept, from the first on.
  std::int64_t capacity() const { return capacity_; }
  /// Identifies the version of the file.
  const std::string& key() const { return key_; }
  const std::filesystem::path& path() const { return path_; }
  /// Path of the copy of a part.
  std::filesystem::path part(std::int64_t index) const;
  /// Whether another part leaves 5 % of the volume free. Throws InputError if the volume is gone.
  bool has_room() const;

 private:
  void claim(const std::string& file, std::int64_t parts, bool alone) const;

  std::string key_;
  std::filesystem::path path_;
  std::uint64_t part_bytes_;  // on the disk
  std::uint64_t margin_;      // bytes of the volume to leave free
  std::int64_t capacity_;
  FileDescriptor use_;  // holds the shared lock
};

}  // namespace cdt

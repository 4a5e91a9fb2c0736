// Files written whole or not at all: a temporary beside the target, flushed, then renamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "io/file.h"

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
  /// Writes what is buffered, syncs the file, renames it, syncs the folder.
  void commit();

  const std::filesystem::path& target() const { return target_; }

 private:
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

/// Makes the folder and its parents; InputError if that fails, if it is a file, or if it cannot be
/// written to.
void create_output_directory(const std::filesystem::path& directory);

/// Free bytes for an ordinary user on the volume of an existing folder.
std::uint64_t free_space(const std::filesystem::path& directory);

}  // namespace cdt

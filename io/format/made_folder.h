// Folders that a program makes for what it writes.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace cdt {

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

// The folder that --out names.
#pragma once

#include <filesystem>

namespace cdt {

/// Makes the folder if needed (InputError if it cannot be made or written to). The destructor takes
/// a folder made here away again if it is still empty: a program that fails leaves nothing.
class OutputFolder {
 public:
  explicit OutputFolder(std::filesystem::path directory);
  ~OutputFolder();
  OutputFolder(const OutputFolder&) = delete;
  OutputFolder& operator=(const OutputFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  bool existed_;
};

}  // namespace cdt

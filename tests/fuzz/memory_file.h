// Files in memory: what the fuzz targets give to the readers. The programs that link this have its
// InputFile in place of that of io/format/input_file.cc, and read no other file.
#pragma once

#include <filesystem>
#include <string_view>

namespace cdt::test {

/// While it lives, opening `path` opens these bytes, which must stay where they are. A reader that
/// asks for bytes beyond them, which on a disk would be another error, fails a CDT_CHECK.
class MemoryFile {
 public:
  MemoryFile(std::filesystem::path path, std::string_view bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
};

}  // namespace cdt::test

// A read-only memory map of a whole file.
#pragma once

#include <cstddef>
#include <filesystem>

namespace cdt {

/// Maps an existing regular file; movable, unmaps when destroyed. The size is the size at opening:
/// a file that shrinks while it is mapped ends the program with SIGBUS.
class MappedFile {
 public:
  MappedFile() = default;
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace cdt

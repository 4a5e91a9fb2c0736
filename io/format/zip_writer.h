// Writes a zip archive (APPNOTE.TXT 6.3) of stored members, each aligned to 64 bytes as in
// PyTorch's files; uses zip64 where a size or an offset needs it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/output.h"

namespace cdt {

class ZipWriter {
 public:
  static constexpr std::uint64_t kIn64 = 0xFFFFFFFFU;  // from this value on, fields have 64 bits

  /// The archive starts at the beginning of the file; `in64_from` is for tests.
  explicit ZipWriter(AtomicFile& file, std::uint64_t in64_from = kIn64)
      : file_(file), in64_from_(in64_from) {}

  /// Begins a member of exactly `bytes` bytes, which append() then supplies.
  void begin(const std::string& name, std::uint64_t bytes);
  void append(const void* data, std::size_t size);
  void member(const std::string& name, std::string_view content) {
    begin(name, content.size());
    append(content.data(), content.size());
  }
  /// Writes the directory; the caller commits the file.
  void finish();

 private:
  struct Entry {
    std::string name;
    std::uint64_t bytes = 0, at = 0;
    std::uint32_t crc = 0;
  };
  void put(std::string_view bytes);
  void end_member();
  std::string directory_entry(const Entry& entry) const;
  bool is_wide(std::uint64_t value) const { return value >= in64_from_; }

  AtomicFile& file_;
  std::uint64_t in64_from_;
  std::uint64_t at_ = 0;    // bytes written
  std::uint64_t left_ = 0;  // bytes missing from the current member
  bool open_ = false;
  std::vector<Entry> entries_;
};

}  // namespace cdt

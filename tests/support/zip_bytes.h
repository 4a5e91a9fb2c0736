// Zip archives made byte by byte, intact or with errors in their headers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace cdt::test {

/// `value` in `bytes` bytes, little-endian.
std::string number(std::uint64_t value, int bytes);

/// A member, and the errors in its headers.
struct ZipEntry {
  std::string name;
  std::string content;
  unsigned method = 0;  // 0: stored, 8: deflated
  unsigned flags = 0;
  unsigned crc_flip = 0;
  std::int64_t unpacked = -1;  // claimed size, -1: the true one
  std::int64_t packed = -1;
  std::string local_name{};
  std::int64_t local_offset = -1;
};

std::string zip(const std::vector<ZipEntry>& members, const std::string& comment = "");
/// The same archive in zip64 form: sizes and offsets of members in 64-bit fields, and a zip64
/// directory.
std::string zip64(const std::vector<ZipEntry>& members);

}  // namespace cdt::test

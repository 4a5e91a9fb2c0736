// Zip archives (PKWARE APPNOTE 6.3) of which single members are read: stored or deflated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "io/format/file.h"

namespace cdt {

/// One entry of an archive's directory.
struct ZipMember {
  std::string name;
  std::uint32_t flags = 0;
  std::uint32_t method = 0;
  std::uint32_t crc = 0;
  std::size_t packed = 0;
  std::size_t unpacked = 0;
  std::size_t local = 0;  // where its own header begins
};

class ZipArchive {
 public:
  /// Reads the directory. InputError "archive": no zip archive, cut short, zip64; or the name that
  /// stands twice.
  explicit ZipArchive(const std::filesystem::path& path);

  bool has(const std::string& name) const { return members_.count(name) != 0; }
  /// The member unpacked, its CRC checked; other members may hold anything. `limit_bytes` bounds
  /// its size and is checked before anything is allocated. InputError names the member: missing,
  /// damage, encryption, zip64, another method, too large.
  std::string read(const std::string& name, std::size_t limit_bytes) const;
  /// InputError "archive" if the file holds members that its directory leaves out.
  void expect_all_listed() const;

 private:
  InputFile file_;
  std::size_t directory_ = 0;  // where it begins
  std::map<std::string, ZipMember> members_;
};

}  // namespace cdt

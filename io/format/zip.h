// A reader of zip archives (APPNOTE.TXT 6.3, including zip64): the members of .npz and .pt files,
// stored or deflated, each verified by its checksum.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "io/format/file.h"
#include "io/format/text_file.h"

namespace cdt {

/// One entry of an archive's directory.
struct ZipMember {
  std::string name;
  std::uint32_t flags = 0;
  std::uint32_t method = 0;  // 0: stored, 8: deflated
  std::uint32_t crc = 0;
  std::uint64_t packed = 0, unpacked = 0;  // bytes
  std::uint64_t local = 0;                 // offset of its local header
};

/// An archive from which single members are read. InputErrors name the file and the member, or
/// "archive": no zip archive, cut short, a directory that does not match the file. A member that is
/// encrypted, compressed by another method, or of an impossible size is refused when it is asked
/// for.
class ZipArchive {
 public:
  /// Whether checksums may be missing: PyTorch can be told to write none, and every member's is
  /// then 0.
  enum class Checksums : std::uint8_t { kRequired, kMayBeMissing };
  /// Opens the file and reads its directory, of at most kDirectoryLimit bytes.
  explicit ZipArchive(const std::filesystem::path& path,
                      Checksums checksums = Checksums::kRequired);
  static constexpr std::uint64_t kDirectoryLimit = std::uint64_t{64} << 20U;

  const std::filesystem::path& path() const { return file_.path(); }
  const std::map<std::string, ZipMember>& members() const { return members_; }
  bool has(const std::string& name) const { return members_.count(name) != 0; }
  /// Finds a member; throws InputError if there is none of that name.
  const ZipMember& member(const std::string& name) const;

  /// Returns the decompressed member. Throws InputError if that is more than `limit_bytes`, which
  /// is checked before anything is allocated, or if the checksum is wrong.
  std::string read(const std::string& name, std::uint64_t limit_bytes) const;
  /// Opens the member as a stream of decompressed bytes; the archive must outlive it. The stream
  /// throws InputError on damage; the checksum is verified at its end.
  std::unique_ptr<ByteStream> open(const std::string& name) const;
  /// Offset of the bytes of a stored member, which has `unpacked` of them. Throws InputError if it
  /// is compressed. The caller must verify the checksum with expect_checksum().
  std::uint64_t stored_begin(const std::string& name) const;
  /// Throws InputError unless `crc` matches the member's checksum, or no member has one and that is
  /// allowed.
  void expect_checksum(const ZipMember& member, std::uint32_t crc) const;
  bool has_checksums() const { return has_checksums_; }
  /// Reads bytes of the archive, like InputFile::read().
  void read_bytes(std::uint64_t offset, void* out, std::size_t size) const;

  /// Refuses an archive with members that its directory omits.
  void expect_all_listed() const;

  /// Throws InputError(file, field, what).
  [[noreturn]] void fail(std::string_view field, const std::string& what) const;

 private:
  struct End;  // location of the central directory
  std::string slice(std::uint64_t at, std::uint64_t size) const;
  std::uint64_t number(std::uint64_t at, std::size_t size) const;
  bool signature(std::uint64_t at, std::string_view two) const;
  End find_end() const;
  void read_zip64_end(End* end) const;
  void read_directory();
  ZipMember read_entry(std::string_view entry) const;
  void read_zip64_sizes(std::string_view extra, ZipMember* m) const;
  void check_readable(const ZipMember& m) const;
  std::uint64_t data_begin(const ZipMember& m) const;
  void expect_no_other_member(std::uint64_t begin, std::uint64_t end) const;

  InputFile file_;
  std::uint64_t directory_ = 0;  // offset of the central directory
  bool has_checksums_ = true;
  std::map<std::string, ZipMember> members_;
};

}  // namespace cdt

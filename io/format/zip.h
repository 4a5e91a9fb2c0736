// Zip archives (APPNOTE.TXT 6.3, zip64 included): the members of .npz and .pt files, stored or
// deflated, each held to its checksum. Nothing is written.
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
  std::uint64_t local = 0;                 // where its own header begins
};

/// An archive of which single members are read. InputErrors name the file and the member, or
/// "archive": no zip archive, cut short, a directory that does not fit the file. A member that is
/// encrypted, compressed in another way, or of an impossible size is refused when it is asked for.
class ZipArchive {
 public:
  /// PyTorch can be told to write no checksums: every member's is 0 then.
  enum class Checksums : std::uint8_t { kRequired, kMayBeMissing };
  /// Reads the directory, of at most kDirectoryLimit bytes.
  explicit ZipArchive(const std::filesystem::path& path,
                      Checksums checksums = Checksums::kRequired);
  static constexpr std::uint64_t kDirectoryLimit = std::uint64_t{64} << 20U;

  const std::filesystem::path& path() const { return file_.path(); }
  const std::map<std::string, ZipMember>& members() const { return members_; }
  bool has(const std::string& name) const { return members_.count(name) != 0; }
  /// InputError if there is none of that name.
  const ZipMember& member(const std::string& name) const;

  /// The member unpacked; InputError if that is more than `limit_bytes`, which is checked before
  /// anything is allocated, or if its checksum differs.
  std::string read(const std::string& name, std::uint64_t limit_bytes) const;
  /// The member unpacked piece by piece; the archive must outlive the stream. InputError where it
  /// is damaged; the checksum is known at the end.
  std::unique_ptr<ByteStream> open(const std::string& name) const;
  /// Where the bytes of a stored member begin in the file, of which it has `unpacked`. InputError
  /// if it is compressed. The checksum is the caller's to compare: expect_checksum().
  std::uint64_t stored_begin(const std::string& name) const;
  /// InputError unless `crc` is that of the member, or no member has one and none may.
  void expect_checksum(const ZipMember& member, std::uint32_t crc) const;
  bool has_checksums() const { return has_checksums_; }
  /// Bytes of the archive, as InputFile::read().
  void read_bytes(std::uint64_t offset, void* out, std::size_t size) const;

  /// Refuses a file that holds members which its directory leaves out.
  void expect_all_listed() const;

  /// Throws InputError(file, field, what).
  [[noreturn]] void fail(std::string_view field, const std::string& what) const;

 private:
  struct End;  // of the central directory
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
  std::uint64_t directory_ = 0;  // where it begins
  bool has_checksums_ = true;
  std::map<std::string, ZipMember> members_;
};

}  // namespace cdt

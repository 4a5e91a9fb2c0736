#include "io/format/zip.h"

#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "engine/error.h"
#include "io/format/deflate.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kEndSize = 22;    // end of central directory
constexpr std::size_t kEntrySize = 46;  // one entry of it
constexpr std::size_t kLocalSize = 30;  // header before a member's data
constexpr std::size_t kCommentLimit = 65535;

/// Bounds-checked little-endian reads from the archive.
class Bytes {
 public:
  explicit Bytes(const InputFile& file) : file_(file) {}

  std::string slice(std::size_t at, std::size_t size) const {
    if (at > file_.size() || size > file_.size() - at) {
      fail("archive", "damaged: something lies past the end of the file");
    }
    std::string bytes(size, '\0');
    file_.read(at, bytes.data(), size);
    return bytes;
  }
  std::uint32_t number(std::size_t at, std::size_t size) const {
    std::uint32_t value = 0;
    const std::string from = slice(at, size);
    for (std::size_t i = size; i-- > 0;) value = value << 8U | static_cast<unsigned char>(from[i]);
    return value;
  }
  bool signature(std::size_t at, std::string_view two) const {
    return slice(at, 4) == "PK" + std::string(two);
  }
  std::size_t size() const { return file_.size(); }
  [[noreturn]] void fail(std::string_view field, const std::string& what) const {
    throw InputError(file_.path().string(), field, what);
  }

 private:
  const InputFile& file_;
};

/// The end of the central directory: the last signature whose comment ends with the file.
std::size_t find_end(const Bytes& zip) {
  const std::size_t begin = zip.size() - std::min(zip.size(), kEndSize + kCommentLimit);
  const std::string tail = zip.slice(begin, zip.size() - begin);
  std::size_t at = tail.rfind("PK\x05\x06");
  while (at != std::string::npos) {
    const std::size_t rest = tail.size() - at;
    if (rest >= kEndSize && kEndSize + zip.number(begin + at + 20, 2) == rest) return begin + at;
    at = at == 0 ? std::string::npos : tail.rfind("PK\x05\x06", at - 1);
  }
  zip.fail("archive", "damaged or cut short: the zip directory is missing");
}

ZipMember read_entry(const Bytes& zip, std::size_t at) {
  if (!zip.signature(at, "\x01\x02")) zip.fail("archive", "damaged: bad directory entry");
  return {zip.slice(at + kEntrySize, zip.number(at + 28, 2)),
          zip.number(at + 8, 2),
          zip.number(at + 10, 2),
          zip.number(at + 16, 4),
          zip.number(at + 20, 4),
          zip.number(at + 24, 4),
          zip.number(at + 42, 4)};
}

/// Members lie one behind the other before the directory; another one between them, or at `begin`,
/// is one that the directory left out.
void expect_no_other_member(const Bytes& zip, std::size_t begin, std::size_t end) {
  const std::string gap = zip.slice(begin, std::min(end - begin, kLocalSize));
  if (gap.find("PK\x03\x04") != std::string::npos) {
    zip.fail("archive", "damaged: its directory does not list all of its members");
  }
}

std::map<std::string, ZipMember> read_directory(const Bytes& zip, std::size_t* directory) {
  const std::size_t end = find_end(zip);
  const std::uint32_t count = zip.number(end + 10, 2);
  const std::size_t begin = zip.number(end + 16, 4);
  if (count == 0xFFFFU || begin == 0xFFFFFFFFU) zip.fail("archive", "zip64 is not read");
  std::map<std::string, ZipMember> members;
  std::size_t at = begin;
  for (std::uint32_t i = 0; i < count; ++i) {
    ZipMember m = read_entry(zip, at);
    at += kEntrySize + zip.number(at + 28, 2) + zip.number(at + 30, 2) + zip.number(at + 32, 2);
    const std::string name = m.name;
    if (!members.emplace(name, std::move(m)).second) zip.fail(name, "stands twice");
  }
  if (at - begin != zip.number(end + 12, 4) || at > end || count != zip.number(end + 8, 2)) {
    zip.fail("archive", "damaged: its directory is not as long as it says");
  }
  *directory = begin;
  return members;
}

void check_readable(const Bytes& zip, const ZipMember& m, std::size_t limit_bytes) {
  if ((m.flags & 1U) != 0) zip.fail(m.name, "is encrypted");
  if (m.packed == 0xFFFFFFFFU || m.unpacked == 0xFFFFFFFFU) zip.fail(m.name, "zip64 is not read");
  if (m.method != 0 && m.method != 8) {
    zip.fail(m.name, expected_got("compression method", "0 (stored) or 8 (deflated)",
                                  std::to_string(m.method)));
  }
  const bool possible =
      m.method == 0 ? m.unpacked == m.packed : m.unpacked <= (m.packed + 1) * kDeflateRatio;
  if (!possible) zip.fail(m.name, "damaged: impossible size");
  if (m.unpacked > limit_bytes) {
    zip.fail(m.name, expected_got("unpacks to too much",
                                  "at most " + std::to_string(limit_bytes) + " bytes",
                                  std::to_string(m.unpacked)));
  }
}

std::string inflate_member(const Bytes& zip, const ZipMember& m, std::string_view packed) {
  std::string out(m.unpacked, '\0');
  char nowhere = 0;  // zlib wants an address even for no bytes
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw Error("zlib: inflateInit2 failed");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.empty() ? &nowhere : out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int result = inflate(&stream, Z_FINISH);
  const bool whole = result == Z_STREAM_END && stream.avail_out == 0 && stream.avail_in == 0;
  inflateEnd(&stream);
  if (!whole) zip.fail(m.name, "damaged: bad compressed data");
  return out;
}

std::string read_member(const Bytes& zip, const ZipMember& m) {
  if (!zip.signature(m.local, "\x03\x04")) zip.fail(m.name, "damaged: bad local header");
  const std::size_t name_size = zip.number(m.local + 26, 2);
  if (zip.slice(m.local + kLocalSize, name_size) != m.name) {
    zip.fail(m.name, "damaged: the two headers of this member differ");
  }
  const std::size_t data = m.local + kLocalSize + name_size + zip.number(m.local + 28, 2);
  std::string out = zip.slice(data, m.packed);
  if (m.method != 0) out = inflate_member(zip, m, out);
  const uLong crc =
      crc32(0, reinterpret_cast<const Bytef*>(out.data()), static_cast<uInt>(out.size()));
  if (crc != m.crc) zip.fail(m.name, "damaged: checksum differs");
  return out;
}

}  // namespace

ZipArchive::ZipArchive(const std::filesystem::path& path) : file_(path) {
  const std::string first = file_.head(kHeadBytes);
  if (!first.starts_with("PK")) {
    refuse_foreign(path, first);
    throw InputError(path.string(), "archive", "is not a zip archive");
  }
  members_ = read_directory(Bytes(file_), &directory_);
}

std::string ZipArchive::read(const std::string& name, std::size_t limit_bytes) const {
  const Bytes zip(file_);
  const auto found = members_.find(name);
  if (found == members_.end()) zip.fail(name, "is missing");
  check_readable(zip, found->second, limit_bytes);
  return read_member(zip, found->second);
}

void ZipArchive::expect_all_listed() const {
  const Bytes zip(file_);
  std::map<std::size_t, std::size_t> packed;  // bytes by where the member begins
  for (const auto& [name, m] : members_) packed[m.local] = m.packed;
  std::size_t end = 0;
  for (const auto& [local, bytes] : packed) {
    if (local > end) expect_no_other_member(zip, end, local);
    if (!zip.signature(local, "\x03\x04")) continue;  // said when that member is asked for
    end = local + kLocalSize + zip.number(local + 26, 2) + zip.number(local + 28, 2) + bytes;
  }
  if (directory_ > end) expect_no_other_member(zip, end, directory_);
}

}  // namespace cdt

#include "io/format/zip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "engine/error.h"
#include "io/format/checksum.h"
#include "io/format/gzip.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kEndSize = 22;      // end of central directory
constexpr std::size_t kLocatorSize = 20;  // zip64 locator, before the end record
constexpr std::size_t kEnd64Size = 56;
constexpr std::size_t kEntrySize = 46;  // one entry of the central directory
constexpr std::size_t kLocalSize = 30;  // header before a member's data
constexpr std::size_t kCommentLimit = 65535;
constexpr std::uint64_t kIn64 = 0xFFFFFFFFU;  // marks a size or offset that is in the zip64 field
constexpr std::size_t kPiece = std::size_t{1} << 16U;

/// Reads a little-endian number.
std::uint64_t number_at(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = size; i-- > 0;) {
    value = value << 8U | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

/// A member from its first to its last byte, verified by its checksum.
class MemberStream : public ByteStream {
 public:
  MemberStream(const ZipArchive& zip, const ZipMember& member, std::uint64_t begin)
      : zip_(zip), member_(member), at_(begin), packed_left_(member.packed) {
    if (member_.method == 0) return;
    if (inflateInit2(&stream_, -MAX_WBITS) != Z_OK) throw Error("zlib: inflateInit2 failed");
    input_.resize(kPiece);
  }
  ~MemberStream() override { inflateEnd(&stream_); }

  std::size_t read(char* out, std::size_t size) override {
    const std::uint64_t left = member_.unpacked - given_;
    const auto piece = static_cast<std::size_t>(
        std::min<std::uint64_t>({size, left, std::numeric_limits<uInt>::max()}));
    if (member_.method == 0) {
      fetch(out, piece);
    } else {
      inflate_into(out, piece);
    }
    crc_ = crc32(crc_, reinterpret_cast<const Bytef*>(out), static_cast<uInt>(piece));
    given_ += piece;
    if (given_ == member_.unpacked && size > 0) check_end();
    return piece;
  }

 private:
  void fetch(char* out, std::size_t size) {
    zip_.read_bytes(at_, out, size);
    at_ += size;
    packed_left_ -= size;
  }

  /// Calls zlib's inflate once; true at the end of the compressed data.
  bool inflate_some() {
    if (stream_.avail_in == 0 && packed_left_ > 0) {
      const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, packed_left_));
      fetch(input_.data(), piece);
      stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
      stream_.avail_in = static_cast<uInt>(piece);
    }
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END) damaged();
    return result == Z_STREAM_END;
  }

  void inflate_into(char* out, std::size_t size) {
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(size);
    while (stream_.avail_out > 0) {
      if (inflate_some() && stream_.avail_out > 0) damaged();
    }
  }

  void check_end() {
    char beyond = 0;
    if (member_.method != 0 && !ended_) {
      stream_.next_out = reinterpret_cast<Bytef*>(&beyond);
      stream_.avail_out = 1;
      while (!inflate_some()) {
        if (stream_.avail_out == 0) damaged();
      }
      if (stream_.avail_out == 0 || stream_.avail_in > 0 || packed_left_ > 0) damaged();
      ended_ = true;
    }
    zip_.expect_checksum(member_, static_cast<std::uint32_t>(crc_));
  }

  [[noreturn]] void damaged() const { zip_.fail(member_.name, "damaged: bad compressed data"); }

  const ZipArchive& zip_;
  const ZipMember& member_;
  std::uint64_t at_, packed_left_;
  std::uint64_t given_ = 0;
  uLong crc_ = crc32(0, nullptr, 0);
  z_stream stream_{};
  bool ended_ = false;
  std::vector<char> input_;
};

}  // namespace

/// Where the central directory is and how much it holds.
struct ZipArchive::End {
  std::uint64_t at = 0;  // offset of the end record
  std::uint64_t count = 0, count_here = 0;
  std::uint64_t bytes = 0, begin = 0;
};

ZipArchive::ZipArchive(const std::filesystem::path& path, Checksums checksums) : file_(path) {
  const std::string first = file_.head(kHeadBytes);
  if (!first.starts_with("PK")) {
    refuse_foreign(path, first);
    fail("archive", "is not a zip archive");
  }
  read_directory();
  const auto has_one = [](const auto& entry) { return entry.second.crc != 0; };
  has_checksums_ =
      checksums == Checksums::kRequired || std::any_of(members_.begin(), members_.end(), has_one);
}

void ZipArchive::fail(std::string_view field, const std::string& what) const {
  throw InputError(path().string(), field, what);
}

std::string ZipArchive::slice(std::uint64_t at, std::uint64_t size) const {
  if (at > file_.size() || size > file_.size() - at) {
    fail("archive", "damaged: something lies past the end of the file");
  }
  std::string bytes(size, '\0');
  file_.read(at, bytes.data(), size);
  return bytes;
}

std::uint64_t ZipArchive::number(std::uint64_t at, std::size_t size) const {
  return number_at(slice(at, size), 0, size);
}

bool ZipArchive::signature(std::uint64_t at, std::string_view two) const {
  return slice(at, 4) == "PK" + std::string(two);
}

void ZipArchive::read_bytes(std::uint64_t offset, void* out, std::size_t size) const {
  file_.read(offset, out, size);
}

/// Finds the last end record; its comment ends with the file.
ZipArchive::End ZipArchive::find_end() const {
  const std::size_t begin = file_.size() - std::min(file_.size(), kEndSize + kCommentLimit);
  const std::string tail = slice(begin, file_.size() - begin);
  std::size_t at = tail.rfind("PK\x05\x06");
  while (at != std::string::npos) {
    const std::size_t rest = tail.size() - at;
    if (rest >= kEndSize) {
      if (kEndSize + number_at(tail, at + 20, 2) != rest)
        break;  // another reader would accept this record
      return {begin + at, number_at(tail, at + 10, 2), number_at(tail, at + 8, 2),
              number_at(tail, at + 12, 4), number_at(tail, at + 16, 4)};
    }
    at = at == 0 ? std::string::npos : tail.rfind("PK\x05\x06", at - 1);
  }
  fail("archive", "damaged or cut short: the zip directory is missing");
}

/// Reads the zip64 end record, if a locator before the end record points to one.
void ZipArchive::read_zip64_end(End* end) const {
  const bool is_there = end->at >= kLocatorSize && signature(end->at - kLocatorSize, "\x06\x07");
  if (!is_there) {
    if (end->count == 0xFFFFU || end->begin == kIn64 || end->bytes == kIn64) {
      fail("archive", "damaged: its zip64 directory is missing");
    }
    return;
  }
  const std::uint64_t at = number(end->at - kLocatorSize + 8, 8);
  const std::string record = slice(at, kEnd64Size);
  if (!record.starts_with("PK\x06\x06") || at + kEnd64Size > end->at - kLocatorSize) {
    fail("archive", "damaged: bad zip64 directory");
  }
  *end = {at, number_at(record, 32, 8), number_at(record, 24, 8), number_at(record, 40, 8),
          number_at(record, 48, 8)};
}

/// Reads from the zip64 field in `extra` the sizes and the offset that the entry leaves to it.
void ZipArchive::read_zip64_sizes(std::string_view extra, ZipMember* m) const {
  std::string_view field;
  for (std::size_t at = 0; at + 4 <= extra.size();) {
    const std::uint64_t size = number_at(extra, at + 2, 2);
    if (size > extra.size() - at - 4) break;
    if (number_at(extra, at, 2) == 1) field = extra.substr(at + 4, size);
    at += 4 + size;
  }
  for (std::uint64_t* value : {&m->unpacked, &m->packed, &m->local}) {
    if (*value != kIn64) continue;
    if (field.size() < 8) fail(m->name, "damaged: its zip64 sizes are missing");
    *value = number_at(field, 0, 8);
    field.remove_prefix(8);
  }
}

/// Parses one entry; `entry` extends from its signature to the end of the directory.
ZipMember ZipArchive::read_entry(std::string_view entry) const {
  if (entry.size() < kEntrySize || !entry.starts_with("PK\x01\x02")) {
    fail("archive", "damaged: bad directory entry");
  }
  const std::size_t name = number_at(entry, 28, 2), extra = number_at(entry, 30, 2);
  if (name + extra > entry.size() - kEntrySize) fail("archive", "damaged: bad directory entry");
  ZipMember m{std::string(entry.substr(kEntrySize, name)),
              static_cast<std::uint32_t>(number_at(entry, 8, 2)),
              static_cast<std::uint32_t>(number_at(entry, 10, 2)),
              static_cast<std::uint32_t>(number_at(entry, 16, 4)),
              number_at(entry, 20, 4),
              number_at(entry, 24, 4),
              number_at(entry, 42, 4)};
  read_zip64_sizes(entry.substr(kEntrySize + name, extra), &m);
  return m;
}

void ZipArchive::read_directory() {
  End end = find_end();
  read_zip64_end(&end);
  directory_ = end.begin;
  if (end.begin > end.at || end.count != end.count_here) {
    fail("archive", "damaged: its directory is not as long as it says");
  }
  if (end.at - end.begin > kDirectoryLimit) fail("archive", "its directory is over 64 MiB");
  const std::string bytes = slice(end.begin, end.at - end.begin);
  std::uint64_t at = 0;
  for (std::uint64_t i = 0; i < end.count; ++i) {
    const std::string_view entry = std::string_view(bytes).substr(std::min(at, bytes.size()));
    ZipMember m = read_entry(entry);
    at += kEntrySize + number_at(entry, 28, 2) + number_at(entry, 30, 2) + number_at(entry, 32, 2);
    const std::string name = m.name;
    if (!members_.emplace(name, std::move(m)).second) fail(name, "appears twice");
  }
  if (at != end.bytes || at != bytes.size()) {
    fail("archive", "damaged: its directory is not as long as it says");
  }
}

const ZipMember& ZipArchive::member(const std::string& name) const {
  const auto found = members_.find(name);
  if (found == members_.end()) fail(name, "is missing");
  return found->second;
}

void ZipArchive::check_readable(const ZipMember& m) const {
  if ((m.flags & 1U) != 0) fail(m.name, "is encrypted");
  if (m.method != 0 && m.method != 8) {
    fail(m.name, expected_got("compression method", "0 (stored) or 8 (deflated)",
                              std::to_string(m.method)));
  }
  const bool possible =
      m.method == 0 ? m.unpacked == m.packed : m.unpacked / kDeflateRatio <= m.packed;
  if (!possible) fail(m.name, "damaged: impossible size");
}

/// Offset of a member's data, checked to be within the file.
std::uint64_t ZipArchive::data_begin(const ZipMember& m) const {
  check_readable(m);
  const std::string local = slice(m.local, kLocalSize);
  if (!local.starts_with("PK\x03\x04")) fail(m.name, "damaged: bad local header");
  const std::uint64_t name_size = number_at(local, 26, 2);
  if (slice(m.local + kLocalSize, name_size) != m.name) {
    fail(m.name, "damaged: the two headers of this member differ");
  }
  const std::uint64_t begin = m.local + kLocalSize + name_size + number_at(local, 28, 2);
  if (begin > file_.size() || m.packed > file_.size() - begin) {
    fail("archive", "damaged: something lies past the end of the file");
  }
  return begin;
}

std::uint64_t ZipArchive::stored_begin(const std::string& name) const {
  const ZipMember& m = member(name);
  if (m.method == 8) fail(name, "is compressed, but must be stored as it is");
  return data_begin(m);
}

void ZipArchive::expect_checksum(const ZipMember& member, std::uint32_t crc) const {
  if (!has_checksums_ || crc == member.crc || !checksums_count()) return;
  fail(member.name, "damaged: checksum differs");
}

std::unique_ptr<ByteStream> ZipArchive::open(const std::string& name) const {
  const ZipMember& m = member(name);
  return std::make_unique<MemberStream>(*this, m, data_begin(m));
}

std::string ZipArchive::read(const std::string& name, std::uint64_t limit_bytes) const {
  const ZipMember& m = member(name);
  check_readable(m);
  if (m.unpacked > limit_bytes) {
    fail(name,
         expected_got("unpacks to too much", "at most " + std::to_string(limit_bytes) + " bytes",
                      std::to_string(m.unpacked)));
  }
  const std::unique_ptr<ByteStream> stream = open(name);
  std::string out(m.unpacked, '\0');
  std::size_t have = 0;
  do {
    have += stream->read(out.data() + have, std::max<std::size_t>(out.size() - have, 1));
  } while (have < out.size());
  return out;
}

void ZipArchive::expect_all_listed() const {
  std::map<std::uint64_t, std::uint64_t> packed;  // compressed bytes by offset of the member
  for (const auto& [name, m] : members_) packed[m.local] = m.packed;
  std::uint64_t end = 0;
  for (const auto& [local, bytes] : packed) {
    if (local > end) expect_no_other_member(end, local);
    if (!signature(local, "\x03\x04")) continue;  // reported when that member is asked for
    end = local + kLocalSize + number(local + 26, 2) + number(local + 28, 2) + bytes;
  }
  if (directory_ > end) expect_no_other_member(end, directory_);
}

/// Members lie back to back before the directory, so another member in the gap from `begin` to
/// `end` is one that the directory omits.
void ZipArchive::expect_no_other_member(std::uint64_t begin, std::uint64_t end) const {
  const std::string gap = slice(begin, std::min<std::uint64_t>(end - begin, kLocalSize));
  if (gap.find("PK\x03\x04") != std::string::npos) {
    fail("archive", "damaged: its directory does not list all of its members");
  }
}

}  // namespace cdt

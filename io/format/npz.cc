#include "io/format/npz.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <string_view>
#include <utility>

#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/floats.h"
#include "io/format/gzip.h"
#include "io/format/npy.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

constexpr std::size_t kEndSize = 22;    // end of central directory
constexpr std::size_t kEntrySize = 46;  // one entry of it
constexpr std::size_t kLocalSize = 30;  // header before a member's data
constexpr std::size_t kCommentLimit = 65535;

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

/// A zip archive of which single members are read. InputErrors name the archive or the member.
class ZipArchive {
 public:
  /// Reads the directory.
  explicit ZipArchive(const std::filesystem::path& path) : file_(path) {
    const std::string first = file_.head(kHeadBytes);
    if (!first.starts_with("PK")) {
      refuse_foreign(path, first);
      fail("archive", "is not a zip archive");
    }
    read_directory();
  }

  bool has(const std::string& name) const { return members_.count(name) != 0; }

  /// The member unpacked, its CRC checked; `limit_bytes` bounds its size.
  std::string read(const std::string& name, std::size_t limit_bytes) const {
    const ZipMember& m = members_.at(name);
    check_readable(m, limit_bytes);
    if (!signature(m.local, "\x03\x04")) fail(m.name, "damaged: bad local header");
    const std::size_t name_size = number(m.local + 26, 2);
    if (slice(m.local + kLocalSize, name_size) != m.name) {
      fail(m.name, "damaged: the two headers of this member differ");
    }
    const std::size_t data = m.local + kLocalSize + name_size + number(m.local + 28, 2);
    std::string out = slice(data, m.packed);
    if (m.method != 0) out = inflated(m, out);
    const uLong crc =
        crc32(0, reinterpret_cast<const Bytef*>(out.data()), static_cast<uInt>(out.size()));
    if (crc != m.crc) fail(m.name, "damaged: checksum differs");
    return out;
  }

  /// Refuses a file that holds members which its directory leaves out.
  void expect_all_listed() const {
    std::map<std::size_t, std::size_t> packed;  // bytes by where the member begins
    for (const auto& [name, m] : members_) packed[m.local] = m.packed;
    std::size_t end = 0;
    for (const auto& [local, bytes] : packed) {
      if (local > end) expect_no_other_member(end, local);
      if (!signature(local, "\x03\x04")) continue;  // said when that member is asked for
      end = local + kLocalSize + number(local + 26, 2) + number(local + 28, 2) + bytes;
    }
    if (directory_ > end) expect_no_other_member(end, directory_);
  }

 private:
  [[noreturn]] void fail(std::string_view field, const std::string& what) const {
    throw InputError(file_.path().string(), field, what);
  }

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

  /// The end of the central directory: the last signature whose comment ends with the file.
  std::size_t find_end() const {
    const std::size_t begin = file_.size() - std::min(file_.size(), kEndSize + kCommentLimit);
    const std::string tail = slice(begin, file_.size() - begin);
    std::size_t at = tail.rfind("PK\x05\x06");
    while (at != std::string::npos) {
      const std::size_t rest = tail.size() - at;
      if (rest >= kEndSize && kEndSize + number(begin + at + 20, 2) == rest) return begin + at;
      at = at == 0 ? std::string::npos : tail.rfind("PK\x05\x06", at - 1);
    }
    fail("archive", "damaged or cut short: the zip directory is missing");
  }

  ZipMember read_zip_entry(std::size_t at) const {
    if (!signature(at, "\x01\x02")) fail("archive", "damaged: bad directory entry");
    return {slice(at + kEntrySize, number(at + 28, 2)),
            number(at + 8, 2),
            number(at + 10, 2),
            number(at + 16, 4),
            number(at + 20, 4),
            number(at + 24, 4),
            number(at + 42, 4)};
  }

  void read_directory() {
    const std::size_t end = find_end();
    const std::uint32_t count = number(end + 10, 2);
    directory_ = number(end + 16, 4);
    if (count == 0xFFFFU || directory_ == 0xFFFFFFFFU) fail("archive", "zip64 is not read");
    std::size_t at = directory_;
    for (std::uint32_t i = 0; i < count; ++i) {
      ZipMember m = read_zip_entry(at);
      at += kEntrySize + number(at + 28, 2) + number(at + 30, 2) + number(at + 32, 2);
      const std::string name = m.name;
      if (!members_.emplace(name, std::move(m)).second) fail(name, "stands twice");
    }
    if (at - directory_ != number(end + 12, 4) || at > end || count != number(end + 8, 2)) {
      fail("archive", "damaged: its directory is not as long as it says");
    }
  }

  /// Members lie one behind the other before the directory; another one between them, or at
  /// `begin`, is one that the directory left out.
  void expect_no_other_member(std::size_t begin, std::size_t end) const {
    const std::string gap = slice(begin, std::min(end - begin, kLocalSize));
    if (gap.find("PK\x03\x04") != std::string::npos) {
      fail("archive", "damaged: its directory does not list all of its members");
    }
  }

  void check_readable(const ZipMember& m, std::size_t limit_bytes) const {
    if ((m.flags & 1U) != 0) fail(m.name, "is encrypted");
    if (m.packed == 0xFFFFFFFFU || m.unpacked == 0xFFFFFFFFU) fail(m.name, "zip64 is not read");
    if (m.method != 0 && m.method != 8) {
      fail(m.name, expected_got("compression method", "0 (stored) or 8 (deflated)",
                                std::to_string(m.method)));
    }
    const bool possible =
        m.method == 0 ? m.unpacked == m.packed : m.unpacked <= (m.packed + 1) * kDeflateRatio;
    if (!possible) fail(m.name, "damaged: impossible size");
    if (m.unpacked > limit_bytes) {
      fail(m.name,
           expected_got("unpacks to too much", "at most " + std::to_string(limit_bytes) + " bytes",
                        std::to_string(m.unpacked)));
    }
  }

  std::string inflated(const ZipMember& m, std::string_view packed) const {
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
    if (!whole) fail(m.name, "damaged: bad compressed data");
    return out;
  }

  InputFile file_;
  std::size_t directory_ = 0;  // where it begins
  std::map<std::string, ZipMember> members_;
};

constexpr std::uint64_t kLargest = std::uint64_t{1} << 63U;

/// The bytes of one value, the lowest first, as a number.
std::uint64_t raw_value(const char* bytes, std::size_t size, bool big_endian) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const char byte = bytes[big_endian ? i : size - 1 - i];
    value = value << 8U | static_cast<unsigned char>(byte);
  }
  return value;
}

double real_value(std::uint64_t raw, std::size_t size) {
  if (size == 2) return half_to_float(static_cast<std::uint16_t>(raw));
  if (size == 4) return std::bit_cast<float>(static_cast<std::uint32_t>(raw));
  return std::bit_cast<double>(raw);
}

/// Values of one dtype as whole numbers.
class Converter {
 public:
  Converter(const NpyHeader& header, std::string_view data, const std::string& file,
            const std::string& member)
      : header_(header), data_(data), file_(file), member_(member) {}

  /// Of the value that lies `place` values into the data.
  std::int64_t whole(std::size_t place) const {
    const std::size_t size = header_.item_bytes;
    const std::uint64_t raw = raw_value(data_.data() + place * size, size, header_.descr[0] == '>');
    const char kind = header_.descr[1];
    if (kind == 'f') {
      const double value = real_value(raw, size);
      if (!is_exact_whole(value)) refuse(place, format_number(value));
      return static_cast<std::int64_t>(value);
    }
    if (kind != 'i') {
      if (raw >= kLargest) refuse(place, std::to_string(raw));
      return static_cast<std::int64_t>(raw);
    }
    if (size == 1) return static_cast<std::int8_t>(raw);
    if (size == 2) return static_cast<std::int16_t>(raw);
    if (size == 4) return static_cast<std::int32_t>(raw);
    return static_cast<std::int64_t>(raw);
  }

 private:
  [[noreturn]] void refuse(std::size_t place, const std::string& value) const {
    throw InputError(
        file_, member_ + ", value " + std::to_string(place),
        expected_got("not a whole number that can be kept", "a signed 64-bit integer", value));
  }

  const NpyHeader& header_;
  std::string_view data_;
  const std::string& file_;
  const std::string& member_;
};

/// Where the value of each index lies in the file, indices in C order (the last counts fastest).
std::vector<std::size_t> value_places(const NpyHeader& header, std::size_t count) {
  std::vector<std::size_t> out(count);
  const std::size_t rank = header.shape.size();
  std::vector<std::int64_t> index(rank, 0);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t place = 0;
    for (std::size_t axis = rank; axis-- > 0;) {  // Fortran: the first counts fastest
      place = place * static_cast<std::size_t>(header.shape[axis]) +
              static_cast<std::size_t>(index[axis]);
    }
    out[i] = header.fortran_order ? place : i;
    for (std::size_t axis = rank; axis-- > 0;) {
      if (++index[axis] < header.shape[axis]) break;
      index[axis] = 0;
    }
  }
  return out;
}

}  // namespace

NpyIntegers read_npz_integers(const std::filesystem::path& path, const std::string& name,
                              std::size_t limit_bytes) {
  const ZipArchive zip(path);
  const std::string file = path.string();
  const std::string member = name + ".npy";
  const std::string npy = zip.has(member) ? zip.read(member, limit_bytes) : "";
  zip.expect_all_listed();
  if (!zip.has(member)) throw InputError(file, name, "is missing");
  const NpyHeader header = read_npy_header(npy, npy.size(), file, member);
  const std::string_view data = std::string_view(npy).substr(header.data_begin);
  const Converter convert(header, data, file, member);
  NpyIntegers out;
  out.shape = header.shape;
  for (const std::size_t place : value_places(header, data.size() / header.item_bytes)) {
    out.values.push_back(convert.whole(place));
  }
  return out;
}

}  // namespace cdt

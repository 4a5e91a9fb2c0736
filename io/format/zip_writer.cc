#include "io/format/zip_writer.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kLocalSize = 30;
constexpr std::uint64_t kVersion = 45;       // the first version with zip64
constexpr std::uint64_t kDescriptor = 0x08;  // flag: sizes and checksum follow the data
constexpr std::uint64_t kPadding = 0x4246;   // extra field "FB", PyTorch's for alignment
constexpr std::uint64_t kZip64 = 1;          // id of the extra field

/// Little-endian bytes of a number.
std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i, value >>= 8U) out += static_cast<char>(value & 0xFFU);
  return out;
}

}  // namespace

void ZipWriter::put(std::string_view bytes) {
  file_.write(bytes);
  at_ += bytes.size();
}

void ZipWriter::begin(const std::string& name, std::uint64_t bytes) {
  if (open_) end_member();
  const std::size_t before = at_ + kLocalSize + name.size() + 4;
  const std::size_t padding = (kAlignment - before % kAlignment) % kAlignment;
  entries_.push_back({name, bytes, at_, static_cast<std::uint32_t>(crc32(0, nullptr, 0))});
  put("PK\x03\x04" + number(kVersion, 2) + number(kDescriptor, 2) + number(0, 6) + number(0, 12) +
      number(name.size(), 2) + number(4 + padding, 2) + name + number(kPadding, 2) +
      number(padding, 2) + std::string(padding, '\0'));
  left_ = bytes;
  open_ = true;
}

void ZipWriter::append(const void* data, std::size_t size) {
  CDT_CHECK(open_ && size <= left_, "more bytes than the member was begun with");
  Entry& entry = entries_.back();
  const auto* bytes = static_cast<const char*>(data);
  left_ -= size;
  while (size > 0) {  // crc32 takes a 32-bit length
    const auto piece =
        static_cast<uInt>(std::min<std::size_t>(size, std::numeric_limits<std::int32_t>::max()));
    entry.crc =
        static_cast<std::uint32_t>(crc32(entry.crc, reinterpret_cast<const Bytef*>(bytes), piece));
    put({bytes, piece});
    bytes += piece;
    size -= piece;
  }
}

void ZipWriter::end_member() {
  CDT_CHECK(left_ == 0, "fewer bytes than the member was begun with");
  const Entry& entry = entries_.back();
  const int width = is_wide(entry.bytes) ? 8 : 4;
  put("PK\x07\x08" + number(entry.crc, 4) + number(entry.bytes, width) +
      number(entry.bytes, width));
  open_ = false;
}

std::string ZipWriter::directory_entry(const Entry& entry) const {
  const bool wide = is_wide(entry.bytes), far = is_wide(entry.at);
  const std::string values = (wide ? number(entry.bytes, 8) + number(entry.bytes, 8) : "") +
                             (far ? number(entry.at, 8) : "");
  const std::string extra =
      values.empty() ? "" : number(kZip64, 2) + number(values.size(), 2) + values;
  const std::string size = number(wide ? kIn64 : entry.bytes, 4);
  return "PK\x01\x02" + number(kVersion, 2) + number(kVersion, 2) + number(kDescriptor, 2) +
         number(0, 6) + number(entry.crc, 4) + size + size + number(entry.name.size(), 2) +
         number(extra.size(), 2) + number(0, 10) + number(far ? kIn64 : entry.at, 4) + entry.name +
         extra;
}

void ZipWriter::finish() {
  if (open_) end_member();
  std::string directory;
  for (const Entry& entry : entries_) directory += directory_entry(entry);
  const std::uint64_t begin = at_, count = entries_.size();
  put(directory);
  if (is_wide(begin) || count >= 0xFFFFU) {
    const std::uint64_t record = at_;
    put("PK\x06\x06" + number(44, 8) + number(kVersion, 2) + number(kVersion, 2) + number(0, 8) +
        number(count, 8) + number(count, 8) + number(directory.size(), 8) + number(begin, 8));
    put("PK\x06\x07" + number(0, 4) + number(record, 8) + number(1, 4));
    put("PK\x05\x06" + number(0, 4) + number(0xFFFF, 2) + number(0xFFFF, 2) + number(kIn64, 8) +
        number(0, 2));
    return;
  }
  put("PK\x05\x06" + number(0, 4) + number(count, 2) + number(count, 2) +
      number(directory.size(), 4) + number(begin, 4) + number(0, 2));
}

}  // namespace cdt

#include "tests/support/zip_bytes.h"

#include <zlib.h>

#include <stdexcept>

namespace cdt::test {
namespace {

using namespace std::string_literals;

std::string deflate_raw(const std::string& text) {
  std::string out(text.size() + 100, '\0');
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2");
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) throw std::runtime_error("deflate");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

/// Concatenates the members, and appends their directory.
struct Parts {
  std::string body, directory;
};

Parts parts_of(const std::vector<ZipEntry>& members, bool wide) {
  constexpr std::uint64_t kIn64 = 0xFFFFFFFFU;
  Parts parts;
  for (const ZipEntry& m : members) {
    const auto* bytes = reinterpret_cast<const Bytef*>(m.content.data());
    const std::uint64_t crc = crc32(0, bytes, static_cast<uInt>(m.content.size())) ^ m.crc_flip;
    const std::string data = m.method == 8 ? deflate_raw(m.content) : m.content;
    const auto packed = m.packed < 0 ? data.size() : static_cast<std::size_t>(m.packed);
    const auto unpacked = m.unpacked < 0 ? m.content.size() : static_cast<std::size_t>(m.unpacked);
    const std::uint64_t offset =
        m.local_offset < 0 ? parts.body.size() : static_cast<std::uint64_t>(m.local_offset);
    const std::string before =
        number(20, 2) + number(m.flags, 2) + number(m.method, 2) + number(0, 4) + number(crc, 4);
    const std::string sizes = number(wide ? kIn64 : packed, 4) + number(wide ? kIn64 : unpacked, 4);
    const std::string extra = wide ? number(1, 2) + number(24, 2) + number(unpacked, 8) +
                                         number(packed, 8) + number(offset, 8)
                                   : "";
    const std::string& local_name = m.local_name.empty() ? m.name : m.local_name;
    parts.directory += "PK\x01\x02"s + number(20, 2) + before + sizes + number(m.name.size(), 2) +
                       number(extra.size(), 2) + number(0, 10) + number(wide ? kIn64 : offset, 4) +
                       m.name + extra;
    for (const std::string& part : {"PK\x03\x04"s, before, sizes, number(local_name.size(), 2),
                                    number(0, 2), local_name, data}) {
      parts.body += part;
    }
  }
  return parts;
}

}  // namespace

std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i, value >>= 8U) out += static_cast<char>(value & 0xFFU);
  return out;
}

std::string zip(const std::vector<ZipEntry>& members, const std::string& comment) {
  const auto [body, directory] = parts_of(members, false);
  return body + directory + "PK\x05\x06"s + number(0, 4) + number(members.size(), 2) +
         number(members.size(), 2) + number(directory.size(), 4) + number(body.size(), 4) +
         number(comment.size(), 2) + comment;
}

std::string zip64(const std::vector<ZipEntry>& members) {
  const auto [body, directory] = parts_of(members, true);
  const std::string end = "PK\x06\x06"s + number(44, 8) + number(45, 2) + number(45, 2) +
                          number(0, 8) + number(members.size(), 8) + number(members.size(), 8) +
                          number(directory.size(), 8) + number(body.size(), 8);
  const std::string locator =
      "PK\x06\x07"s + number(0, 4) + number(body.size() + directory.size(), 8) + number(1, 4);
  return body + directory + end + locator + "PK\x05\x06"s + number(0, 4) + number(~0ULL, 4) +
         number(~0ULL, 8) + number(0, 2);
}

}  // namespace cdt::test

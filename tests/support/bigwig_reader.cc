#include "tests/support/bigwig_reader.h"

#include <zlib.h>

#include <cstddef>
#include <cstring>
#include <stdexcept>

namespace cdt::test {
namespace {

constexpr std::uint32_t kMagic = 0x888FFC26;
constexpr std::uint32_t kChromosomeTreeMagic = 0x78CA8C91;
constexpr std::uint32_t kIndexMagic = 0x2468ACE0;

void expect(bool condition, const char* what) {
  if (!condition) throw std::runtime_error(std::string("bigWig: ") + what);
}

/// Reads consecutive little-endian values.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes, std::size_t at = 0) : bytes_(bytes), at_(at) {}

  template <typename T>
  T take() {
    T value{};
    expect(at_ + sizeof(T) <= bytes_.size(), "cut short");
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }
  std::string text(std::size_t size) {
    expect(at_ + size <= bytes_.size(), "cut short");
    const std::string out(bytes_.substr(at_, size));
    at_ += size;
    return out.substr(0, out.find('\0'));
  }
  void skip(std::size_t size) { at_ += size; }
  std::size_t at() const { return at_; }
  bool at_end() const { return at_ == bytes_.size(); }

 private:
  std::string_view bytes_;
  std::size_t at_;
};

struct Chromosomes {
  std::map<std::uint32_t, std::string> names;
  std::map<std::string, std::uint32_t> sizes;
  std::string last;  // keys of a B+ tree ascend
};

void read_chromosome_node(std::string_view bytes, std::size_t at, std::uint32_t key_size,
                          Chromosomes* out) {
  Cursor c(bytes, at);
  const bool is_leaf = c.take<std::uint8_t>() != 0;
  c.skip(1);
  const auto count = c.take<std::uint16_t>();
  for (std::uint16_t i = 0; i < count; ++i) {
    const std::string key = c.text(key_size);
    if (is_leaf) {
      expect(out->last < key, "chromosomes out of order");
      out->last = key;
      const auto id = c.take<std::uint32_t>();
      out->names[id] = key;
      out->sizes[key] = c.take<std::uint32_t>();
    } else {
      read_chromosome_node(bytes, c.take<std::uint64_t>(), key_size, out);
    }
  }
}

Chromosomes read_chromosomes(std::string_view bytes, std::size_t at) {
  Cursor c(bytes, at);
  expect(c.take<std::uint32_t>() == kChromosomeTreeMagic, "no chromosome tree");
  c.skip(4);
  const auto key_size = c.take<std::uint32_t>();
  expect(c.take<std::uint32_t>() == 8, "size of a chromosome's value");
  const auto count = c.take<std::uint64_t>();
  c.skip(8);
  Chromosomes out;
  read_chromosome_node(bytes, c.at(), key_size, &out);
  expect(out.sizes.size() == count, "number of chromosomes");
  return out;
}

std::string unpacked(std::string_view packed, std::uint32_t room) {
  if (room == 0) return std::string(packed);
  std::string out(room, '\0');
  uLongf size = room;
  expect(uncompress(reinterpret_cast<Bytef*>(out.data()), &size,
                    reinterpret_cast<const Bytef*>(packed.data()), packed.size()) == Z_OK,
         "a block does not unpack");
  out.resize(size);
  return out;
}

void read_block(std::string_view block, const Chromosomes& chromosomes, BigWigContent* out) {
  Cursor c(block);
  const auto id = c.take<std::uint32_t>();
  c.skip(8);
  const auto step = c.take<std::uint32_t>();
  const auto span = c.take<std::uint32_t>();
  const auto type = c.take<std::uint8_t>();
  c.skip(1);
  const auto count = c.take<std::uint16_t>();
  expect(type == 1 && step == 0 && span == 0, "a block of another type than bedGraph");
  std::vector<ScoredInterval>& scores = out->scores[chromosomes.names.at(id)];
  for (std::uint16_t i = 0; i < count; ++i) {
    const auto start = c.take<std::uint32_t>();
    const auto end = c.take<std::uint32_t>();
    scores.push_back({start, end, c.take<float>()});
  }
  expect(c.at_end(), "a block holds more than it says");
}

void read_index_node(std::string_view bytes, std::size_t at, std::uint32_t room,
                     const Chromosomes& chromosomes, BigWigContent* out) {
  Cursor c(bytes, at);
  const bool is_leaf = c.take<std::uint8_t>() != 0;
  c.skip(1);
  const auto count = c.take<std::uint16_t>();
  for (std::uint16_t i = 0; i < count; ++i) {
    c.skip(16);  // the range of the child
    const auto offset = c.take<std::uint64_t>();
    if (is_leaf) {
      const auto size = c.take<std::uint64_t>();
      expect(offset + size <= bytes.size(), "a block past the end");
      read_block(unpacked(bytes.substr(offset, size), room), chromosomes, out);
    } else {
      read_index_node(bytes, offset, room, chromosomes, out);
    }
  }
}

}  // namespace

BigWigContent read_bigwig(std::string_view bytes) {
  Cursor c(bytes);
  BigWigContent out;
  expect(c.take<std::uint32_t>() == kMagic, "the magic number is another");
  c.skip(2);
  out.zoom_levels = c.take<std::uint16_t>();
  const auto tree = c.take<std::uint64_t>();
  c.skip(8);
  const auto index = c.take<std::uint64_t>();
  c.skip(12);
  const auto summary = c.take<std::uint64_t>();
  const auto room = c.take<std::uint32_t>();
  const Chromosomes chromosomes = read_chromosomes(bytes, tree);
  out.sizes = chromosomes.sizes;
  Cursor i(bytes, index);
  expect(i.take<std::uint32_t>() == kIndexMagic, "no index");
  read_index_node(bytes, index + 48, room, chromosomes, &out);
  Cursor s(bytes, summary);
  out.bases = s.take<std::uint64_t>();
  out.min = s.take<double>();
  out.max = s.take<double>();
  out.sum = s.take<double>();
  return out;
}

}  // namespace cdt::test

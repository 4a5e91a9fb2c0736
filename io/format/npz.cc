#include "io/format/npz.h"

#include <bit>
#include <cstdint>
#include <string_view>

#include "engine/error.h"
#include "io/format/floats.h"
#include "io/format/npy.h"
#include "io/format/text.h"
#include "io/format/zip.h"

namespace cdt {
namespace {

constexpr std::uint64_t kLargest = std::uint64_t{1} << 63U;

/// The bytes of one value as a number.
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

/// Converts the values of one dtype to integers.
class Converter {
 public:
  Converter(const NpyHeader& header, std::string_view data, const std::string& file,
            const std::string& member)
      : header_(header), data_(data), file_(file), member_(member) {}

  /// Value number `place` of the data as an integer.
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

/// Position of each value in the file, with indices in C order (the last varies fastest).
std::vector<std::size_t> value_places(const NpyHeader& header, std::size_t count) {
  std::vector<std::size_t> out(count);
  const std::size_t rank = header.shape.size();
  std::vector<std::int64_t> index(rank, 0);
  for (std::size_t i = 0; i < count; ++i) {
    std::size_t place = 0;
    for (std::size_t axis = rank; axis-- > 0;) {  // Fortran order: the first axis varies fastest
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
  if (header.descr[1] == 'V') {
    throw InputError(file, member,
                     expected_got("dtype", "numbers such as <f4 or <i8", header.descr));
  }
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

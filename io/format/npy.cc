#include "io/format/npy.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "engine/error.h"
#include "io/format/floats.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kMagicSize = 8;  // "\x93NUMPY", major, minor

/// Parses the header of an npy file, a Python dict literal with exactly three known keys, and
/// accepts no other Python.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& file, const std::string& member)
      : text_(text), file_(file), member_(member) {}

  void parse() {
    expect('{');
    while (!accept('}')) {
      const std::string_view key = quoted();
      expect(':');
      if (key == "descr" && descr.empty()) {
        if (peek() != '\'' && peek() != '"') fail("structured dtypes are not read");
        descr = quoted();
      } else if (key == "fortran_order" && !order_seen_) {
        fortran = boolean();
        order_seen_ = true;
      } else if (key == "shape" && !shape_seen_) {
        tuple();
        shape_seen_ = true;
      } else {
        fail("bad npy header: unexpected key");
      }
      if (!accept(',') && peek() != '}') fail("bad npy header");
    }
    if (peek() != '\0' || descr.empty() || !order_seen_ || !shape_seen_) fail("bad npy header");
  }

  [[noreturn]] void fail(const std::string& what) const { throw InputError(file_, member_, what); }

  std::string descr;
  bool fortran = false;
  std::vector<std::int64_t> shape;

 private:
  /// Next non-blank character, or NUL at the end.
  char peek() {
    at_ = std::min(text_.find_first_not_of(" \n", at_), text_.size());
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail("bad npy header");
  }
  std::string_view quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("bad npy header");
    const std::size_t end = text_.find(quote, ++at_);
    if (end == std::string_view::npos) fail("bad npy header");
    const std::string_view out = text_.substr(at_, end - at_);
    at_ = end + 1;
    return out;
  }
  std::string_view word() {
    peek();
    const std::size_t end = std::min(text_.find_first_of(",)} \n", at_), text_.size());
    const std::string_view out = text_.substr(at_, end - at_);
    at_ = end;
    return out;
  }
  bool boolean() {
    const std::string_view value = word();
    if (value != "True" && value != "False") fail("bad npy header");
    return value == "True";
  }
  void tuple() {
    expect('(');
    while (!accept(')')) {
      std::int64_t dim = 0;
      if (!parse_int64(word(), &dim) || dim < 0) fail("bad npy header: shape");
      shape.push_back(dim);
      if (!accept(',') && peek() != ')') fail("bad npy header: shape");
    }
  }

  std::string_view text_;
  const std::string& file_;
  const std::string& member_;
  std::size_t at_ = 0;
  bool order_seen_ = false;
  bool shape_seen_ = false;
};

/// Text of the header; *data_begin is set to the first byte after it.
std::string_view npy_header_text(std::string_view npy, const std::string& file,
                                 const std::string& member, std::size_t* data_begin) {
  const auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(npy[i])}; };
  if (npy.size() < kMagicSize + 2 || npy.substr(0, 6) != "\x93NUMPY") {
    throw InputError(file, member, "is not an npy array");
  }
  if (byte(6) < 1 || byte(6) > 3) {
    throw InputError(file, member, expected_got("npy version", "1 to 3", std::to_string(byte(6))));
  }
  const std::size_t wide = byte(6) == 1 ? 2 : 4;
  if (npy.size() < kMagicSize + wide) throw InputError(file, member, "npy header is cut short");
  std::size_t length = 0;
  for (std::size_t i = wide; i-- > 0;) length = length << 8U | byte(kMagicSize + i);
  const std::string_view rest = npy.substr(kMagicSize + wide);
  if (length > rest.size()) throw InputError(file, member, "npy header is cut short");
  *data_begin = kMagicSize + wide + length;
  return rest.substr(0, length);
}

/// Size in bytes of one value of a dtype such as "<f4" or "|u1"; 0 for a dtype that is not
/// supported.
std::size_t item_bytes(std::string_view descr) {
  constexpr std::array<std::string_view, 13> kNumbers = {"b1", "i1", "i2", "i4", "i8", "u1", "u2",
                                                         "u4", "u8", "f2", "f4", "f8", "V2"};
  const bool order = descr.size() == 3 && (descr[0] == '<' || descr[0] == '>' || descr[0] == '|');
  const bool known =
      order && std::find(kNumbers.begin(), kNumbers.end(), descr.substr(1)) != kNumbers.end();
  return known ? static_cast<std::size_t>(descr[2] - '0') : 0;
}

constexpr std::size_t kAlignment = 64;  // of the data, as in NumPy's files
constexpr std::size_t kPreamble = 10;   // magic, version, header length

/// Magic, version 1.0 and padded header, as numpy.lib.format describes.
std::string npy_header(const std::vector<std::int64_t>& shape) {
  std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const std::int64_t dim : shape) text += std::to_string(dim) + ", ";
  if (shape.size() > 1) text.resize(text.size() - 2);
  if (shape.size() == 1) text.resize(text.size() - 1);
  text += "), }";
  const std::size_t total =
      (kPreamble + text.size() + 1 + kAlignment - 1) / kAlignment * kAlignment;
  text.resize(total - kPreamble - 1, ' ');
  text += '\n';
  std::string out("\x93NUMPY\x01\x00", 8);
  out += static_cast<char>(text.size() & 0xFFU);
  out += static_cast<char>(text.size() >> 8U);
  return out + text;
}

}  // namespace

NpyHeader read_npy_header(std::string_view head, std::size_t size, const std::string& file,
                          const std::string& member) {
  NpyHeader out;
  HeaderParser header(npy_header_text(head, file, member, &out.data_begin), file, member);
  header.parse();
  out.item_bytes = item_bytes(header.descr);
  if (out.item_bytes == 0) {
    header.fail(expected_got("dtype", "numbers such as <f4 or <i8", header.descr));
  }
  auto bytes = static_cast<std::int64_t>(out.item_bytes);
  for (const std::int64_t dim : header.shape) {
    if (__builtin_mul_overflow(bytes, dim, &bytes)) header.fail("shape overflows");
  }
  const std::size_t held = size - out.data_begin;
  if (static_cast<std::size_t>(bytes) != held) {
    header.fail(
        expected_got("wrong number of bytes of data", std::to_string(bytes), std::to_string(held)));
  }
  out.descr = header.descr;
  out.fortran_order = header.fortran;
  out.shape = header.shape;
  return out;
}

NpyWriter::NpyWriter(const std::filesystem::path& path, const std::vector<std::int64_t>& shape)
    : file_(path) {
  for (const std::int64_t dim : shape) {
    CDT_CHECK(dim >= 0, "negative dimension in an npy shape");
    left_ *= dim;
  }
  file_.write(npy_header(shape));
}

void NpyWriter::append(const float* values, std::int64_t count) {
  CDT_CHECK(count >= 0 && count <= left_,
            "more values than the shape of " + file_.target().string());
  file_.write(values, static_cast<std::size_t>(count) * sizeof(float));
  left_ -= count;
}

void NpyWriter::flush_to_disk() {
  CDT_CHECK(left_ == 0,
            std::to_string(left_) + " values are missing in " + file_.target().string());
  file_.flush_to_disk();
}

void NpyWriter::commit() {
  flush_to_disk();
  file_.commit();
}

NpyFile::NpyFile(std::filesystem::path file) : file_(std::move(file)) {
  const std::string name = path().string();
  const NpyHeader header = read_npy_header(file_.head(kNpyHeaderRoom), file_.size(), name, "array");
  if (header.descr != "<f4") {
    throw InputError(name, "array", expected_got("dtype", "<f4", header.descr));
  }
  if (header.fortran_order && header.shape.size() > 1) {
    throw InputError(name, "array", "Fortran order is not read; save a C-ordered array");
  }
  if (header.shape.empty()) throw InputError(name, "shape", "a single number, no array");
  shape_ = header.shape;
  data_begin_ = header.data_begin;
  for (std::size_t axis = 1; axis < shape_.size(); ++axis) {
    row_values_ *= static_cast<std::size_t>(shape_[axis]);
  }
}

void NpyFile::expect_shape(const std::vector<std::int64_t>& expected) const {
  if (shape_ == expected) return;
  throw InputError(path().string(), "shape",
                   expected_got("differs", shape_text(expected), shape_text(shape_)));
}

std::vector<float> NpyFile::row(std::int64_t index) const {
  CDT_CHECK(index >= 0 && index < shape_.front(), "a row within the array");
  std::vector<float> out(row_values_);
  const std::size_t offset = static_cast<std::size_t>(index) * row_values_ * sizeof(float);
  file_.read(data_begin_ + offset, out.data(), row_values_ * sizeof(float));
  const std::int64_t bad = first_non_finite(out.data(), static_cast<std::int64_t>(out.size()));
  if (bad >= 0) {
    throw InputError(path().string(), "row " + std::to_string(index),
                     "value " + std::to_string(bad) + " is not finite");
  }
  return out;
}

}  // namespace cdt

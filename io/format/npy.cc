#include "io/format/npy.h"

#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::size_t kAlignment = 64;  // of the data, as NumPy writes it
constexpr std::size_t kPreamble = 10;   // magic, version, header length

/// Magic, version 1.0, and the padded header that numpy.lib.format describes.
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

void NpyWriter::commit() {
  CDT_CHECK(left_ == 0,
            std::to_string(left_) + " values are missing in " + file_.target().string());
  file_.commit();
}

}  // namespace cdt

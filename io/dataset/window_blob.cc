#include "io/dataset/window_blob.h"

#include "engine/error.h"
#include "io/dataset/not_finite.h"
#include "io/format/floats.h"
#include "io/format/text.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

std::int64_t element_size(const WindowBlob::Shape& shape) {
  return shape.is_bfloat16 ? 2 : sizeof(float);
}

}  // namespace

void check_blob_size(const InputFile& file, std::initializer_list<std::int64_t> factors) {
  std::int64_t bytes = 1;
  std::string product;
  for (const std::int64_t factor : factors) {
    bytes *= factor;
    product += (product.empty() ? "" : " x ") + std::to_string(factor);
  }
  if (file.size() == static_cast<std::size_t>(bytes)) return;
  refuse_foreign(file.path(), file.head(kHeadBytes));  // says what a wrong file really is
  throw InputError(file.path().string(), "size",
                   expected_got("wrong size", product + " = " + std::to_string(bytes) + " bytes",
                                std::to_string(file.size())));
}

WindowBlob::WindowBlob(const std::filesystem::path& path, const Shape& shape)
    : file_(path), shape_(shape) {
  check_blob_size(file_, {shape.windows, shape.bins, shape.dim, element_size(shape)});
}

std::size_t WindowBlob::window_bytes() const {
  return static_cast<std::size_t>(shape_.bins * shape_.dim * element_size(shape_));
}

void WindowBlob::cache_in(const CachePlace& place) {
  cache_ = std::make_unique<WindowCache>(place, file_, shape_.windows, window_bytes());
}

void WindowBlob::read(std::int64_t row, const std::string& name, float* out) const {
  CDT_CHECK(row >= 0 && row < shape_.windows, "no such window");
  const std::int64_t count = shape_.bins * shape_.dim;
  const std::size_t bytes = window_bytes();
  // bfloat16 is read into the second half of `out`; each value is widened before its own place is
  // overwritten.
  std::byte* const stored = reinterpret_cast<std::byte*>(out) + (shape_.is_bfloat16 ? bytes : 0);
  if (cache_ == nullptr || !cache_->read(row, stored)) {
    file_.fetch(static_cast<std::size_t>(row) * bytes, bytes);
    file_.read(static_cast<std::size_t>(row) * bytes, stored, bytes);
    if (cache_ != nullptr) cache_->keep(row, stored);
  }
  if (shape_.is_bfloat16) {
    convert_values<std::uint16_t>(stored, static_cast<std::size_t>(count), out, bfloat16_to_float);
  }
  const std::int64_t bad = first_non_finite(out, count);
  if (bad < 0) return;
  throw NotFiniteInput(file_.path().string(),
                       name + " (row " + std::to_string(row) + "), bin " +
                           std::to_string(bad / shape_.dim) + ", feature " +
                           std::to_string(bad % shape_.dim),
                       expected_got("bad value", "a finite number", format_number(out[bad])));
}

}  // namespace cdt

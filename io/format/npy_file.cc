#include "io/format/npy_file.h"

#include <utility>

#include "engine/error.h"
#include "io/format/finite.h"
#include "io/format/npy_header.h"
#include "io/format/text.h"

namespace cdt {

namespace {

constexpr std::size_t kHeaderRoom = std::size_t{1} << 20U;  // far more than NumPy writes

}  // namespace

NpyFile::NpyFile(std::filesystem::path file) : file_(std::move(file)) {
  const std::string name = path().string();
  const NpyHeader header = read_npy_header(file_.head(kHeaderRoom), file_.size(), name, "array");
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

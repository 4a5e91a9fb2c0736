#include "io/format/float_rows.h"

#include <algorithm>
#include <utility>

#include "engine/error.h"
#include "io/format/floats.h"
#include "io/format/text.h"

namespace cdt {

FloatRows::FloatRows(std::string file, std::string field)
    : file_(std::move(file)), field_(std::move(field)) {}

void FloatRows::fail(const std::string& what) const { throw InputError(file_, field_, what); }

void FloatRows::set_shape(std::vector<std::int64_t> shape) {
  shape_ = std::move(shape);
  if (shape_.empty()) fail("is a single number, no array");
  constexpr std::int64_t kMaxValues = kMaxRowBytes / static_cast<std::int64_t>(sizeof(float));
  for (std::size_t axis = 0; axis < shape_.size(); ++axis) {
    if (shape_[axis] < 1) fail("is empty: its shape is " + shape_text(shape_));
    if (axis == 0) continue;
    if (shape_[axis] > kMaxValues / row_values_) {
      fail(expected_got("one row is too large", "at most " + std::to_string(kMaxValues) + " values",
                        "shape " + shape_text(shape_)));
    }
    row_values_ *= shape_[axis];
  }
}

void FloatRows::set_type(std::string type, bool untyped) {
  type_ = std::move(type);
  untyped_ = untyped;
}

std::string FloatRows::at(std::int64_t row, std::int64_t index) const {
  std::string out = field_ + "[" + std::to_string(row);
  std::int64_t below = row_values_;  // values that one step along the axis skips
  for (std::size_t axis = 1; axis < shape_.size(); ++axis) {
    below /= shape_[axis];
    out += "," + std::to_string(index / below % shape_[axis]);
  }
  return out + "]";
}

void FloatRows::read(std::int64_t row, float* out) {
  CDT_CHECK(row >= next_ && row < rows(), "rows are read in rising order");
  next_ = row + 1;
  read_values(row, out);
  const std::int64_t bad = first_non_finite(out, row_values_);
  if (bad < 0) return;
  const auto count = std::count_if(out, out + row_values_,
                                   [](float value) { return first_non_finite(&value, 1) == 0; });
  throw InputError(
      file_, at(row, bad),
      expected_got("is not usable; not finite in this row: " + number_of(count, "value"),
                   "a finite number", format_number(out[bad])));
}

}  // namespace cdt

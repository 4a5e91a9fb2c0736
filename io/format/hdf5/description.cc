#include "io/format/hdf5/description.h"

#include <utility>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {

Hdf5Description::Hdf5Description(std::string file, std::string name)
    : file_(std::move(file)), name_(std::move(name)) {}

std::string Hdf5Description::at(std::int64_t row) const {
  return name_ + "[" + std::to_string(row) + "]";
}

void Hdf5Description::require_shape(const std::vector<std::int64_t>& sizes) const {
  bool same = shape_.size() == sizes.size();
  for (std::size_t i = 0; same && i < sizes.size(); ++i) {
    same = sizes[i] == kAnySize || sizes[i] == shape_[i];
  }
  if (!same) fail(expected_got("has the wrong shape", shape_text(sizes), shape_text(shape_)));
}

void Hdf5Description::add_axis(std::uint64_t size) {
  if (size == 0) fail("is empty");
  if (size > static_cast<std::uint64_t>(kMaxDimension)) fail("has an absurd size");
  shape_.push_back(static_cast<std::int64_t>(size));
}

std::size_t Hdf5Description::values_from(std::size_t axis, std::size_t value_bytes) const {
  const std::int64_t limit = kMaxWholeBytes / static_cast<std::int64_t>(value_bytes);
  std::int64_t values = 1;
  for (; axis < shape_.size(); ++axis) {
    if (values > limit / shape_[axis]) fail("is too large to be read whole");
    values *= shape_[axis];
  }
  return static_cast<std::size_t>(values);
}

std::size_t Hdf5Description::whole_values(std::size_t value_bytes) const {
  return values_from(0, value_bytes);
}

std::size_t Hdf5Description::row_values() const { return values_from(1, sizeof(float)); }

void Hdf5Description::fail(const std::string& what) const { throw InputError(file_, name_, what); }

}  // namespace cdt

#include "engine/tensor.h"

#include <cstddef>

#include "engine/error.h"

namespace cdt {

Shape::Shape(std::initializer_list<std::int64_t> dims) {
  CDT_CHECK(static_cast<int>(dims.size()) <= kMaxRank, "a shape has at most four dimensions");
  for (const std::int64_t d : dims) {
    CDT_CHECK(d > 0, "a dimension must be positive, got " + std::to_string(d));
    dims_[static_cast<std::size_t>(rank_++)] = d;
  }
}

std::size_t Shape::place(int i) const {
  const int at = i < 0 ? i + rank_ : i;
  CDT_CHECK(at >= 0 && at < rank_, "no dimension " + std::to_string(i) + " in " + to_string());
  return static_cast<std::size_t>(at);
}

std::int64_t Shape::operator[](int i) const { return dims_[place(i)]; }

Shape Shape::with(int i, std::int64_t dim) const {
  CDT_CHECK(dim > 0, "a dimension must be positive, got " + std::to_string(dim));
  Shape out = *this;
  out.dims_[place(i)] = dim;
  return out;
}

std::int64_t Shape::count() const {
  std::int64_t n = 1;
  for (int i = 0; i < rank_; ++i) n *= dims_[static_cast<std::size_t>(i)];
  return n;
}

std::string Shape::to_string() const {
  std::string out = "(";
  for (int i = 0; i < rank_; ++i) {
    if (i > 0) out += ", ";
    out += std::to_string(dims_[static_cast<std::size_t>(i)]);
  }
  return out + ")";
}

bool Shape::operator==(const Shape& other) const {
  return rank_ == other.rank_ && dims_ == other.dims_;
}

std::int64_t bytes_of(Dtype dtype) { return dtype == Dtype::kBFloat16 ? 2 : 4; }

float* Tensor::at(std::int64_t i) const {
  return reinterpret_cast<float*>(reinterpret_cast<std::byte*>(data) + i * bytes_of(dtype));
}

Tensor Tensor::reshaped(const Shape& to) const {
  CDT_CHECK(to.count() == count(), "reshape " + shape.to_string() + " to " + to.to_string());
  return {data, to, dtype};
}

Tensor Tensor::slice(std::int64_t begin, std::int64_t end) const {
  CDT_CHECK(
      begin >= 0 && begin < end && end <= shape[0],
      "slice " + std::to_string(begin) + ":" + std::to_string(end) + " of " + shape.to_string());
  return {at(begin * (count() / shape[0])), with_first(shape, end - begin), dtype};
}

void expect_shape(const char* op, const char* name, const Tensor& t, const Shape& expected) {
  if (t.empty() || t.shape != expected) {
    throw Error(
        std::string(op) + ": " + name + ": " +
        expected_got("shape", expected.to_string(), t.empty() ? "none" : t.shape.to_string()));
  }
}

void expect_batch(const char* op, const char* name, const Tensor& t, std::int64_t batch) {
  const std::int64_t leading = t.shape[0];
  if (leading != 1 && leading != batch) {
    throw Error(std::string(op) + ": " + name + ": " +
                expected_got("leading dimension", "1 or " + std::to_string(batch),
                             std::to_string(leading)));
  }
}

}  // namespace cdt

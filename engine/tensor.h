// Shapes and tensors. A tensor is a view: pointer, shape and element type, row-major and
// contiguous; the memory belongs to an arena (engine/arena.h). float32 unless a declaration says
// otherwise.
//
// Glossary of dimensions, used in every declaration:
//   B batch   L DNA bins   G genes (= proteins)   D hidden   H heads   K head dim (D / H)
//   F feed-forward width   N sequence length (L or G)   R rows (product of leading dims)
//   C columns
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>

namespace cdt {

/// Up to four dimensions, outermost first. Rank 0 is a scalar with one element.
class Shape {
 public:
  static constexpr int kMaxRank = 4;
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> dims);

  int rank() const { return rank_; }
  /// Dimension i; negative i counts from the end.
  std::int64_t operator[](int i) const;
  /// Returns this shape with dimension i replaced.
  Shape with(int i, std::int64_t dim) const;
  std::int64_t count() const;
  /// "(8, 2360, 768)"
  std::string to_string() const;
  bool operator==(const Shape& other) const;
  bool operator!=(const Shape& other) const { return !(*this == other); }

 private:
  std::size_t place(int i) const;
  std::array<std::int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

enum class Dtype : std::uint8_t {
  kFloat32,
  kBFloat16,  // activations of a backend that computes in bfloat16
  kInt32,     // indices
};
std::int64_t bytes_of(Dtype dtype);

/// A view of elements in backend memory.
struct Tensor {
  float* data = nullptr;  // address of the first element; floats only if dtype says so
  Shape shape;
  Dtype dtype = Dtype::kFloat32;

  bool empty() const { return data == nullptr; }
  std::int64_t count() const { return shape.count(); }
  std::int64_t bytes() const { return count() * bytes_of(dtype); }
  /// Address of element i in row-major order.
  float* at(std::int64_t i) const;
  /// Last dimension.
  std::int64_t cols() const { return shape[-1]; }
  /// Product of all dimensions except the last.
  std::int64_t rows() const { return shape.count() / shape[-1]; }
  /// Views the elements under another shape of equal count.
  Tensor reshaped(const Shape& to) const;
  /// Rows [begin, end) of the tensor viewed as (shape[0], rest): a contiguous part.
  Tensor slice(std::int64_t begin, std::int64_t end) const;
};

inline Shape with_first(const Shape& shape, std::int64_t first) { return shape.with(0, first); }
inline Shape with_last(const Shape& shape, std::int64_t last) { return shape.with(-1, last); }

/// Throws Error "op: name: shape (expected (..), got (..))" unless t has that shape.
void expect_shape(const char* op, const char* name, const Tensor& t, const Shape& expected);
/// Throws Error unless the leading dimension is 1 or batch.
void expect_batch(const char* op, const char* name, const Tensor& t, std::int64_t batch);

/// Returns a / b rounded up; a >= 0, b > 0.
constexpr std::int64_t ceil_div(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace cdt

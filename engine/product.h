// Matrix views of tensors, and their product.
#pragma once

#include <cstdint>

#include "engine/backend.h"

namespace cdt {

/// `count` matrices (rows, cols), `stride` elements apart. Row-major with leading dimension `ld`.
/// is_transposed: memory holds the transpose.
struct Matrix {
  Operand elements{};
  std::int64_t rows = 0, cols = 0, ld = 0;
  bool is_transposed = false;
  std::int64_t count = 1, stride = 0;

  /// The whole tensor, as (t.rows(), t.cols()).
  Matrix(const Tensor& t)  // NOLINT: implicit
      : elements(t), rows(t.rows()), cols(t.cols()), ld(t.cols()) {}
  Matrix(const Operand& first, std::int64_t rows, std::int64_t cols, std::int64_t ld,
         std::int64_t count = 1, std::int64_t stride = 0)
      : elements(first), rows(rows), cols(cols), ld(ld), count(count), stride(stride) {}
};

Matrix transposed(Matrix m);
/// Columns [begin, begin + n) of t.
Matrix columns(const Tensor& t, std::int64_t begin, std::int64_t n);
/// Views t (R, P * C) as `parts` matrices (R, C) side by side, such as the heads of a projection.
Matrix side_by_side(const Tensor& t, std::int64_t parts);
/// Views t (P * R, C) as `parts` matrices (R, C) stacked vertically.
Matrix stacked(const Tensor& t, std::int64_t parts);

struct ProductTerms {
  float alpha = 1.0F, beta = 0.0F;
  Operand bias{};  // (c.cols), of c's type, or none
};

/// Computes c = alpha * a b + beta * c (+ bias on every row) for each of c.count matrices; an a or
/// b with a single matrix is used for all of them. Throws Error if the sizes do not match.
void multiply(Backend& backend, const Matrix& a, const Matrix& b, const Matrix& c,
              const ProductTerms& terms = {});

}  // namespace cdt

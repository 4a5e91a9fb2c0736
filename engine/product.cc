#include "engine/product.h"

#include <string>
#include <utility>

#include "engine/error.h"

namespace cdt {

Matrix transposed(Matrix m) {
  std::swap(m.rows, m.cols);
  m.is_transposed = !m.is_transposed;
  return m;
}

Matrix columns(const Tensor& t, std::int64_t begin, std::int64_t n) {
  return {Tensor{t.at(begin), {1}, t.dtype}, t.rows(), n, t.cols()};
}

Matrix side_by_side(const Tensor& t, std::int64_t parts) {
  const std::int64_t cols = t.cols() / parts;
  return {t, t.rows(), cols, t.cols(), parts, cols};
}

Matrix stacked(const Tensor& t, std::int64_t parts) {
  const std::int64_t rows = t.rows() / parts;
  return {t, rows, t.cols(), t.cols(), parts, rows * t.cols()};
}

void multiply(Backend& backend, const Matrix& a, const Matrix& b, const Matrix& c,
              const ProductTerms& terms) {
  const auto fits = [&](const Matrix& m) { return m.count == 1 || m.count == c.count; };
  const auto size = [](const Matrix& m) {
    return std::to_string(m.count) + " x " + Shape{m.rows, m.cols}.to_string();
  };
  CDT_CHECK(a.rows == c.rows && a.cols == b.rows && b.cols == c.cols && fits(a) && fits(b) &&
                !c.is_transposed,
            "product of " + size(a) + " and " + size(b) + " into " + size(c));
  const auto stride = [&](const Matrix& m) { return m.count < c.count ? 0 : m.stride; };
  backend.gemm({.trans_a = a.is_transposed,
                .trans_b = b.is_transposed,
                .m = c.rows,
                .n = c.cols,
                .k = a.cols,
                .alpha = terms.alpha,
                .a = a.elements,
                .lda = a.ld,
                .b = b.elements,
                .ldb = b.ld,
                .beta = terms.beta,
                .c = c.elements,
                .ldc = c.ld,
                .bias = terms.bias,
                .batch = c.count,
                .stride_a = stride(a),
                .stride_b = stride(b),
                .stride_c = c.stride});
}

}  // namespace cdt

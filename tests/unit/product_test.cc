// Views of tensors as matrices, and their products, against loops.
#include "engine/product.h"

#include <vector>

#include "engine/error.h"
#include "tests/support/cpu_kernels.h"

namespace cdt {
namespace {

using test::CpuKernels;

/// Element (i, j) of matrix number `at`.
double element(const Matrix& m, std::int64_t at, std::int64_t i, std::int64_t j) {
  const float* first = m.elements.floats() + (m.count == 1 ? 0 : at * m.stride);
  return m.is_transposed ? first[j * m.ld + i] : first[i * m.ld + j];
}

/// Checks multiply() against the definition, including the previous content of c.
void expect_product(CpuKernels& on, const Matrix& a, const Matrix& b, const Matrix& c,
                    const ProductTerms& terms = {}) {
  std::vector<double> want;
  for (std::int64_t at = 0; at < c.count; ++at) {
    for (std::int64_t i = 0; i < c.rows; ++i) {
      for (std::int64_t j = 0; j < c.cols; ++j) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < a.cols; ++k) {
          sum += element(a, at, i, k) * element(b, at, k, j);
        }
        sum *= terms.alpha;
        if (terms.beta != 0.0F) sum += terms.beta * element(c, at, i, j);
        if (terms.bias) sum += terms.bias.floats()[j];
        want.push_back(sum);
      }
    }
  }
  multiply(on.backend, a, b, c, terms);
  std::size_t next = 0;
  for (std::int64_t at = 0; at < c.count; ++at) {
    for (std::int64_t i = 0; i < c.rows; ++i) {
      for (std::int64_t j = 0; j < c.cols; ++j) {
        EXPECT_NEAR(element(c, at, i, j), want[next], 1e-5) << at << ": " << i << ", " << j;
        ++next;
      }
    }
  }
}

TEST(Product, OfWholeTensorsAndTheirTransposes) {
  CpuKernels on;
  const Tensor a = on.random({2, 3, 5}, 1);
  expect_product(on, a, on.random({5, 4}, 2), on.filled({6, 4}, 9.0F));
  expect_product(on, a, transposed(on.random({4, 5}, 3)), on.random({6, 4}, 4),
                 {.alpha = 0.5F, .beta = 2.0F, .bias = on.random({4}, 5)});
  expect_product(on, transposed(a), on.random({6, 7}, 6), on.filled({5, 7}, 9.0F));
}

TEST(Product, OfColumns) {
  CpuKernels on;
  const Tensor wide = on.random({6, 9}, 1);
  expect_product(on, columns(wide, 2, 3), transposed(columns(wide, 5, 3)), on.filled({6, 6}, 9.0F));
  const Tensor out = on.filled({3, 5}, 7.0F);
  multiply(on.backend, on.random({3, 2}, 2), on.random({2, 3}, 3), columns(out, 1, 3));
  for (const std::int64_t row : {0, 1, 2}) {
    EXPECT_EQ(out.data[row * 5], 7.0F);
    EXPECT_EQ(out.data[row * 5 + 4], 7.0F);
  }
}

TEST(Product, OfHeads) {
  constexpr std::int64_t kHeads = 3;
  CpuKernels on;
  const Tensor x = on.random({4, kHeads * 2}, 1);       // heads of 2 side by side
  const Tensor weight = on.random({kHeads * 2, 5}, 2);  // and one below the other
  const Tensor out = on.random({4, kHeads * 5}, 3);
  expect_product(on, side_by_side(x, kHeads), stacked(weight, kHeads), side_by_side(out, kHeads));
  expect_product(on, transposed(side_by_side(x, kHeads)), side_by_side(out, kHeads),
                 stacked(weight, kHeads), {.beta = 1.0F});
  expect_product(on, side_by_side(x, kHeads), on.random({2, 5}, 4), side_by_side(out, kHeads));
}

TEST(Product, SizesThatDoNotFitAreNamed) {
  CpuKernels on;
  const Tensor a = on.random({2, 3}, 1);
  const Tensor square = on.random({3, 3}, 2);
  EXPECT_THROW(multiply(on.backend, a, a, a), Error);
  EXPECT_THROW(multiply(on.backend, square, square, transposed(square)), Error);
  EXPECT_THROW(multiply(on.backend, stacked(a, 2), square, on.random({1, 3}, 3)), Error);
  try {
    multiply(on.backend, a, transposed(square), square);
    FAIL() << "no error";
  } catch (const Error& e) {
    const std::string what = e.what();
    EXPECT_NE(what.find("product of 1 x (2, 3) and 1 x (3, 3) into 1 x (3, 3)"), std::string::npos)
        << what;
  }
}

}  // namespace
}  // namespace cdt

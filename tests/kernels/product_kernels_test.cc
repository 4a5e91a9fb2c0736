// Matrix products: from the library, by the tensor-core kernel with three-part operands, and by the
// plain kernel, which must handle everything for which the library has no algorithm.
#include <vector>

#include "engine/product.h"
#include "engine/random.h"
#include "tests/kernels/kernel_test.h"
#include "tests/kernels/product_cases.h"
#include "tests/support/relative_error.h"

namespace cdt::test {
namespace {

class ProductKernels : public KernelTest {};

TEST_F(ProductKernels, FromTheLibraryInFloat32AndBFloat16) { expect_products_agree({}); }

TEST_F(ProductKernels, FromTheLibraryInTf32) {
  expect_products_agree({.precision = Precision::kTf32});
}

TEST_F(ProductKernels, OfThreePartsOnTensorCores) { expect_tiled_products_agree(); }

// A corner of a weight's gradient at batch 8. Positive factors expose sums that are truncated.
TEST_F(ProductKernels, OfThreePartsAreNearerThanFloat32AtDepth) {
  constexpr std::int64_t kSide = 16, kDepth = 18880;
  constexpr double kBound = 1e-6;
  const auto backend = make_cuda_backend({.precision = Precision::kBFloat16x3});
  Arena arena(*backend, "tensors");
  std::vector<float> values(static_cast<std::size_t>(kDepth * kSide));
  RandomStream random(3, 1);
  for (float& x : values) x = static_cast<float>(random.uniform());
  const Tensor x = arena.tensor({kDepth, kSide});
  const Tensor product = arena.tensor({kSide, kSide});
  backend->upload(x, values.data());
  multiply(*backend, transposed(x), x, product);
  std::vector<double> want(kSide * kSide), got;
  for (std::size_t k = 0; k < kDepth; ++k) {
    for (std::size_t i = 0; i < want.size(); ++i) {
      const double left = values[k * kSide + i / kSide];
      want[i] += left * static_cast<double>(values[k * kSide + i % kSide]);
    }
  }
  for (const float value : to_host(*backend, product)) got.push_back(value);
  EXPECT_LE(relative_error(got, want), kBound);
}

TEST_F(ProductKernels, OfFewRowsInThreeParts) {
  expect_products_agree({.precision = Precision::kBFloat16x3});
}

TEST_F(ProductKernels, OfOurOwn) { expect_products_agree({.library_products = false}); }

}  // namespace
}  // namespace cdt::test

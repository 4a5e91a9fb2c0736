// Matrix products: from the library, and by the kernel of our own, which must do for whatever the
// library has no algorithm for.
#include "tests/kernels/kernel_test.h"
#include "tests/kernels/product_cases.h"

namespace cdt::test {
namespace {

class ProductKernels : public KernelTest {};

TEST_F(ProductKernels, FromTheLibraryInFloat32AndBFloat16) { expect_products_agree({}); }

TEST_F(ProductKernels, FromTheLibraryInTf32) {
  expect_products_agree({.precision = Precision::kTf32});
}

TEST_F(ProductKernels, OfOurOwn) { expect_products_agree({.library_products = false}); }

}  // namespace
}  // namespace cdt::test

// If cuBLASLt has no algorithm for a product, the engine uses another way.
#include <cstdlib>

#include "engine/backend.h"
#include "tests/emulation/checked_test.h"
#include "tests/kernels/product_cases.h"

namespace cdt::test {
namespace {

class NoAlgorithm : public CheckedTest {
 protected:
  static void set_missing(const char* which) { setenv("CDT_EMULATED_NO_ALGORITHM", which, 1); }
  void TearDown() override {
    unsetenv("CDT_EMULATED_NO_ALGORITHM");
    CheckedTest::TearDown();
  }
};

struct Outcome {
  float product;
  std::uint64_t kernels;  // launched for it; the library's are not counted
};

/// 3 (1 + 2^-11) in a product of k = 3: in tf32 the operand is 1 and the result 3.
Outcome fine_product(Precision precision) {
  constexpr std::int64_t kDepth = 3;
  const auto backend = make_cuda_backend({.precision = precision});
  Arena arena(*backend, "tensors");
  const Tensor a = arena.tensor({kDepth});
  const Tensor b = arena.tensor({kDepth});
  const Tensor c = arena.tensor({1});
  backend->fill(a, 1.0F + 0x1p-11F);
  backend->fill(b, 1.0F);
  const std::uint64_t before = emulation::launch_count();
  backend->gemm(
      {.m = 1, .n = 1, .k = kDepth, .a = a, .lda = kDepth, .b = b, .ldb = 1, .c = c, .ldc = 1});
  const std::uint64_t after = emulation::launch_count();
  Outcome outcome{0.0F, after - before};
  backend->download(&outcome.product, c);
  return outcome;
}

constexpr float kRounded = 3.0F;
constexpr float kExact = 3.0F * (1.0F + 0x1p-11F);

TEST_F(NoAlgorithm, InTf32IsAFloat32ProductOfTheLibrary) {
  Outcome outcome = fine_product(Precision::kTf32);
  EXPECT_EQ(outcome.product, kRounded);
  EXPECT_EQ(outcome.kernels, 0U);
  set_missing("tf32");
  outcome = fine_product(Precision::kTf32);
  EXPECT_EQ(outcome.product, kExact);
  EXPECT_EQ(outcome.kernels, 0U);
}

TEST_F(NoAlgorithm, AtAllIsAProductOfOurOwn) {
  set_missing("all");
  for (const Precision precision : {Precision::kFloat32, Precision::kTf32}) {
    const Outcome outcome = fine_product(precision);
    EXPECT_EQ(outcome.product, kExact);
    EXPECT_EQ(outcome.kernels, 1U);
  }
}

// Some of them bfloat16, and a bias that the library could not have added.
TEST_F(NoAlgorithm, AtAllIsRightForEveryProduct) {
  set_missing("all");
  expect_products_agree({});
}

}  // namespace
}  // namespace cdt::test

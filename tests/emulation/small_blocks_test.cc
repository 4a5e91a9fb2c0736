// The forms of attention on a GPU with less shared memory per block, such as an A100.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/kernels/kernel_test.h"
#include "tests/kernels/self_attended.h"
#include "tests/support/relative_error.h"

namespace cdt::test {
namespace {

class SmallBlocks : public KernelTest {
 protected:
  void TearDown() override {
    unsetenv("CDT_EMULATED_CAPABILITY");
    KernelTest::TearDown();
  }
};

// Tiles in three parts fit for heads of 96. The tiles of the kernels that compute shared scores
// once do not fit, so each sample is computed separately.
TEST_F(SmallBlocks, SharedScoresInPartsAreFormedForEachSample) {
  const Sizes sizes{2, 1, 96, 70, 70};
  const SelfAttended once = self_attended(sizes, true, Precision::kBFloat16x3, true);
  setenv("CDT_EMULATED_CAPABILITY", "8", 1);
  const SelfAttended apart = self_attended(sizes, true, Precision::kBFloat16x3, true);
  EXPECT_LE(relative_error(apart.out, once.out), 1e-6);
  EXPECT_LE(relative_error(apart.gradient, once.gradient), 2e-6);
  if (!launches()) return;
  EXPECT_EQ(once.forward, 3U + 1U + 2U);  // operands, the mask; log-sum-exp and out
  EXPECT_EQ(apart.forward, 3U + 1U + 1U);
  EXPECT_EQ(apart.backward, 4U + 3U);  // operands; sums of rows, dq, dk with dv
}

}  // namespace
}  // namespace cdt::test

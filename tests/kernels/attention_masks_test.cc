// Dropout masks that the forward pass of tiled attention keeps for the backward pass, and the
// number of kernels in both.
#include <gtest/gtest.h>

#include "tests/kernels/kernel_case.h"
#include "tests/kernels/kernel_test.h"
#include "tests/kernels/self_attended.h"

namespace cdt::test {
namespace {

class AttentionMasks : public KernelTest {};

TEST_F(AttentionMasks, KeptMasksAreTheDrawnOnes) {
  for (const Precision precision :
       {Precision::kBFloat16x3, Precision::kTf32, Precision::kBFloat16}) {
    for (const bool shared : {false, true}) {
      const Sizes sizes{3, 2, 32, 131, 131};
      const SelfAttended drawn = self_attended(sizes, shared, precision, false);
      const SelfAttended kept = self_attended(sizes, shared, precision, true);
      EXPECT_EQ(kept.out, drawn.out);
      EXPECT_EQ(kept.gradient, drawn.gradient);
      if (launches()) {
        EXPECT_EQ(kept.backward + 1, drawn.backward);
      }
    }
  }
}

// One kernel per operand, and those of the other types.
TEST_F(AttentionMasks, LaunchesInParts) {
  if (!launches()) GTEST_SKIP() << "launches are not counted here";
  const SelfAttended narrow =
      self_attended({1, 1, 96, 70, 70}, false, Precision::kBFloat16x3, true);
  EXPECT_EQ(narrow.forward, 3U + 1U + 1U);
  EXPECT_EQ(narrow.backward, 4U + 3U);
}

TEST_F(AttentionMasks, HeadsTooWideForTilesInPartsKeepNone) {
  const auto b = make_cuda_backend({.precision = Precision::kBFloat16x3});
  Arena arena(*b, "tensors");
  const Tensor t = arena.tensor({1, 70, 104});
  EXPECT_EQ(b->attention_kept_floats(attention_of({1, 1, 104, 70, 70}, columns(t, 0), columns(t, 0),
                                                  columns(t, 0), t, arena.tensor({1, 1, 70}),
                                                  some_key(0.3F))),
            0);
}

// In bfloat16 a step recomputes what it can to save memory; without dropout there is no mask.
TEST_F(AttentionMasks, MasksAreKeptWhereMemoryIsNotSaved) {
  const auto floats = [](const CudaOptions& options, float p) {
    const auto b = make_cuda_backend(options);
    Arena arena(*b, "tensors");
    const Tensor t = arena.tensor({1, 64, 32}, b->activations());
    return b->attention_kept_floats(attention_of({1, 1, 32, 64, 64}, columns(t, 0), columns(t, 0),
                                                 columns(t, 0), t, arena.tensor({1, 1, 64}),
                                                 some_key(p)));
  };
  EXPECT_GT(floats({.precision = Precision::kTf32}, 0.1F), 0);
  EXPECT_EQ(floats({.precision = Precision::kTf32}, 0.0F), 0);
  EXPECT_EQ(floats({.precision = Precision::kBFloat16}, 0.1F), 0);
  Attention any;
  any.dropout = some_key(0.1F);
  EXPECT_EQ(make_cpu_backend(1)->attention_kept_floats(any), 0);
}

}  // namespace
}  // namespace cdt::test

// The comparisons that tests use to judge kernels, whole attentions and recorded steps.
#include <gtest/gtest.h>

#include "tests/support/digest.h"
#include "tests/support/relative_error.h"

namespace cdt::test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

TEST(RelativeError, IsOfTheNorm) {
  EXPECT_EQ(relative_error({3.0F, 4.0F}, {3.0F, 4.0F}), 0.0);
  EXPECT_DOUBLE_EQ(relative_error({3.0F, 4.5F}, {3.0F, 4.0F}), 0.1);
  EXPECT_DOUBLE_EQ(relative_error({0.5F, 0.0F}, {0.0F, 0.0F}), 0.5) << "of zeros: absolute";
}

TEST(RelativeError, IsInfiniteWhereANumberIsNotFiniteOrMissing) {
  const double infinite = std::numeric_limits<double>::infinity();
  for (const float bad : {kNan, kInf, -kInf}) {
    EXPECT_EQ(relative_error({1.0F, bad}, {1.0F, 1.0F}), infinite);
    EXPECT_EQ(relative_error({1.0F, 1.0F}, {1.0F, bad}), infinite);
    EXPECT_EQ(relative_error({1.0F, bad}, {1.0F, bad}), infinite) << "equal, but no result";
  }
  EXPECT_EQ(relative_error({1.0F}, {1.0F, 0.0F}), infinite);
}

Digest digest_of(const std::vector<float>& numbers) {
  Digest digest;
  digest.add(numbers);
  return digest;
}

TEST(Digest, TellsOneBitAndTheOrder) {
  const std::vector<float> numbers{1.0F, -2.0F, 0.0F};
  const std::uint64_t value = digest_of(numbers).value;
  EXPECT_EQ(digest_of({1.0F, -2.0F, 0.0F}).value, value);
  EXPECT_NE(digest_of({std::nextafter(1.0F, 2.0F), -2.0F, 0.0F}).value, value);
  EXPECT_NE(digest_of({1.0F, -2.0F, -0.0F}).value, value);
  EXPECT_NE(digest_of({-2.0F, 1.0F, 0.0F}).value, value);
  EXPECT_NE(digest_of({1.0F, -2.0F}).value, value);
}

TEST(Digest, GoesOn) {
  Digest parts;
  parts.add(std::vector<float>{1.0F});
  parts.add(std::vector<float>{2.0F, 3.0F});
  EXPECT_EQ(parts.value, digest_of({1.0F, 2.0F, 3.0F}).value);
}

TEST(Digest, KnowsWhetherAllIsFinite) {
  EXPECT_TRUE(digest_of({1.0F, 0.0F}).finite);
  for (const float bad : {kNan, kInf, -kInf}) EXPECT_FALSE(digest_of({bad, 1.0F}).finite);
}

}  // namespace
}  // namespace cdt::test

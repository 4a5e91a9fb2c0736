// Accuracy of the vector functions against the C library in float64, and of masks against
// dropout_factor().
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/cpu/dropout_mask.h"
#include "engine/cpu/vector_math.h"

namespace cdt {
namespace {

float exponential_of(float x) {
  float out[kLanes];
  store(out, exponential(splat(x)), kLanes);
  return out[0];
}

TEST(CpuMath, ExponentialWithinTwoUlp) {
  double worst = 0.0;
  float out[kLanes];
  for (int step = 0; step < 64000; ++step) {  // up to 88.08
    const float x = -86.0F + static_cast<float>(step) * (16 * 1.7e-4F);
    F32 in;
    for (int i = 0; i < kLanes; ++i) in[i] = x + static_cast<float>(i) * 1.7e-4F;
    store(out, exponential(in), kLanes);
    for (int i = 0; i < kLanes; ++i) {
      const double want = std::exp(double{in[i]});
      const auto near = static_cast<float>(want);
      const double ulp = double{std::nextafter(near, INFINITY)} - near;
      worst = std::max(worst, std::abs(out[i] - want) / ulp);
    }
  }
  EXPECT_LE(worst, 2.0);
}

TEST(CpuMath, ExponentialAtTheEdges) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(exponential_of(0.0F), 1.0F);
  EXPECT_EQ(exponential_of(-infinity), 0.0F);
  EXPECT_EQ(exponential_of(-200.0F), 0.0F);
  EXPECT_EQ(exponential_of(infinity), infinity);
  EXPECT_EQ(exponential_of(100.0F), infinity);
  EXPECT_TRUE(std::isnan(exponential_of(std::numeric_limits<float>::quiet_NaN())));
}

TEST(CpuMath, NormalTailAndGeluAgainstErfc) {
  float cumulative[kLanes];
  float derivative[kLanes];
  for (int step = -12 * 1024; step < 12 * 1024; ++step) {
    const auto at = static_cast<float>(step) / 1024.0F;
    store(cumulative, normal(splat(at)).cumulative, kLanes);
    store(derivative, gelu_derivative(splat(at)), kLanes);
    const double phi = 0.5 * std::erfc(-double{at} * std::sqrt(0.5));
    const double density = std::exp(-0.5 * at * at) / std::sqrt(2.0 * M_PI);
    // Absolute error 1e-7; in the lower tail also relative, up to the rounding of x^2 / 2.
    ASSERT_LE(std::abs(cumulative[0] - phi), std::min(1e-7, phi * (1e-6 + 6e-8 * at * at))) << at;
    ASSERT_LE(std::abs(derivative[0] - (phi + at * density)), 3e-7) << at;
  }
}

TEST(CpuMath, MaskEqualsDropoutFactor) {
  const DropoutKey key{0x123456789ABCDEFULL, 17, 3, 0.3F};
  for (const std::int64_t begin : {0, 64, 128}) {
    for (const std::int64_t length : {1, 5, 16, 17, 63, 64, 65, 100, 128, 203}) {
      const std::uint32_t row = 4000000000U + static_cast<std::uint32_t>(length);
      std::vector<float> mask(static_cast<std::size_t>(begin + length), -1.0F);
      for_kept(key, row, begin, begin + length, [&](std::int64_t i, int lanes, I32 kept) {
        store(mask.data() + i, keep_where(kept, splat(key.scale())), lanes);
      });
      for (std::int64_t i = begin; i < begin + length; ++i) {
        ASSERT_EQ(mask[static_cast<std::size_t>(i)],
                  dropout_factor(key, row, static_cast<std::uint32_t>(i)));
      }
    }
  }
}

TEST(CpuMath, MaskWithoutDropoutKeepsAll) {
  int kept_elements = 0;
  for_kept(DropoutKey{}, 0, 0, 77, [&](std::int64_t, int lanes, I32 kept) {
    for (int i = 0; i < lanes; ++i) kept_elements += kept[i] != 0 ? 1 : 0;
  });
  EXPECT_EQ(kept_elements, 77);
}

TEST(CpuMath, MaskKeepsTheRightShare) {
  constexpr std::int64_t kRows = 400;
  constexpr std::int64_t kCols = 2360;
  for (const float p : {0.1F, 0.3F, 0.5F}) {
    const DropoutKey key{42, 0, 1, p};
    double kept_elements = 0;
    double neighbours = 0;  // neighbouring rows that are both kept
    std::vector<float> rows(static_cast<std::size_t>(2 * kCols));
    for (std::int64_t r = 0; r < kRows; ++r) {
      float* now = rows.data() + r % 2 * kCols;
      const float* before = rows.data() + (r + 1) % 2 * kCols;
      for_kept(key, static_cast<std::uint32_t>(r), 0, kCols,
               [&](std::int64_t i, int lanes, I32 kept) {
                 store(now + i, keep_where(kept, splat(1.0F)), lanes);
               });
      for (std::int64_t i = 0; i < kCols; ++i) {
        kept_elements += now[i];
        if (r > 0) neighbours += now[i] * before[i];
      }
    }
    const double n = static_cast<double>(kRows * kCols);
    const double q = 1.0 - static_cast<double>(p);
    EXPECT_NEAR(kept_elements / n, q, 5.0 * std::sqrt(q * (1.0 - q) / n));
    EXPECT_NEAR(neighbours / n * kRows / (kRows - 1), q * q, 5.0 * std::sqrt(q * q / n));
  }
}

}  // namespace
}  // namespace cdt

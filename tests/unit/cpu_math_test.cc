// Accuracy of the vector functions against the C library in float64.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

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

}  // namespace
}  // namespace cdt

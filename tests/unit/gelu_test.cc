// The GELU of the CUDA backend (engine/cuda/gelu.h) against the C library in float64. It uses
// multiply-adds only, so what is measured here holds on a GPU, except for the density in the
// derivative.
#include "engine/cuda/gelu.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace cdt {
namespace {

/// The distance between `want` and x in units in the last place of `want`.
double ulps(float x, double want) {
  const auto near = static_cast<float>(std::fabs(want));
  return std::fabs(double{x} - want) /
         (double{std::nextafter(near, std::numeric_limits<float>::infinity())} - double{near});
}

double tail64(float size) { return 0.5 * std::erfc(double{size} * std::sqrt(0.5)); }

struct WorstErrors {
  double upper = 0, lower = 0;  // largest errors of Phi(a) and Phi(-a), in units in the last place
};

/// The floats from `from` to `to`, every `stride`-th.
WorstErrors worst_errors(float from, float to, std::uint32_t stride) {
  WorstErrors worst;
  const auto end = std::bit_cast<std::uint32_t>(to);
  for (auto bits = std::bit_cast<std::uint32_t>(from); bits < end; bits += stride) {
    const auto size = std::bit_cast<float>(bits);
    const double tail = tail64(size);
    worst.upper = std::max(worst.upper, ulps(normal_cdf(size), 1.0 - tail));
    worst.lower = std::max(worst.lower, ulps(normal_cdf(-size), tail));
  }
  return worst;
}

// All floats in [1/8, 4): 42 million of either sign.
TEST(Gelu, CumulativeWithinOneUlp) {
  const WorstErrors small = worst_errors(0.125F, 0.5F, 1);
  EXPECT_LE(small.upper, 1.0);
  EXPECT_LE(small.lower, 1.0);
  const WorstErrors middle = worst_errors(0.5F, 1.0F, 1);
  EXPECT_LE(middle.upper, 1.0);
  EXPECT_LE(middle.lower, 2.0);
  EXPECT_LE(worst_errors(1.0F, 4.0F, 1).upper, 1.0);
}

// Smaller ones, where Phi is 1/2 plus a multiple of a, and larger ones, where it is 1.
TEST(Gelu, CumulativeWithinOneUlpOutside) {
  const WorstErrors small = worst_errors(1e-30F, 0.125F, 997);
  EXPECT_LE(small.upper, 1.0);
  EXPECT_LE(small.lower, 1.0);
  EXPECT_LE(worst_errors(4.0F, 100.0F, 997).upper, 1.0);
}

/// Relative error of Phi(-a): 2^-22 from the exponent a (1 + s(a)), which is rounded twice, and
/// from the power.
double tail_tolerance(double tail) { return 0x1.0p-22 * (1.0 - std::log2(2.0 * tail)); }

TEST(Gelu, LowerTail) {
  for (int step = 1 << 16; step < 6 << 16; ++step) {
    const float a = std::ldexp(static_cast<float>(step), -16);
    const double tail = tail64(a);
    ASSERT_LE(std::fabs(normal_cdf(-a) - tail), tail * tail_tolerance(tail)) << a;
  }
  for (int a = 6; a < 40; ++a) ASSERT_LE(normal_cdf(static_cast<float>(-a)), 1e-9F) << a;
}

TEST(Gelu, ValueAndSlope) {
  for (int step = -6 * 4096; step < 6 * 4096; ++step) {
    const float v = static_cast<float>(step) / 4096.0F;
    const double size = std::fabs(v);
    const double tail = tail64(std::fabs(v));
    const double phi = v < 0.0F ? tail : 1.0 - tail;
    const double density = std::exp(-0.5 * size * size) / std::sqrt(2.0 * M_PI);
    const GeluSlope g = gelu_and_slope(v);
    EXPECT_EQ(g.value, gelu(v));
    ASSERT_LE(std::fabs(g.value - v * phi),
              0x1.0p-24 * std::fabs(v * phi) + size * tail * tail_tolerance(tail))
        << v;
    ASSERT_LE(std::fabs(g.slope - (phi + v * density)), 0x1.0p-23) << v;
  }
}

TEST(Gelu, Edges) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(gelu(0.0F), 0.0F);
  EXPECT_EQ(gelu(kInfinity), kInfinity);
  EXPECT_LE(std::fabs(gelu(-kInfinity)), 1e-20F);
  EXPECT_EQ(gelu_and_slope(kInfinity).slope, 1.0F);
  EXPECT_LE(std::fabs(gelu_and_slope(-kInfinity).slope), 1e-20F);
  EXPECT_TRUE(std::isnan(gelu(std::numeric_limits<float>::quiet_NaN())));
  EXPECT_EQ(gelu(std::numeric_limits<float>::max()), std::numeric_limits<float>::max());
}

}  // namespace
}  // namespace cdt

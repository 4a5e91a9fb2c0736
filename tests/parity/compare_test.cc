// The comparator itself: planted errors must be found and named, rounding must pass.
#include "tests/parity/compare.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace cdt::test {
namespace {

using Floats = std::vector<float>;

Floats ramp(std::size_t n) {
  Floats v(n);
  for (std::size_t i = 0; i < n; ++i) v[i] = std::sin(static_cast<float>(i + 1));
  return v;
}

TEST(ParityComparison, PassesRoundingAndReportsTheWorst) {
  const Floats want = ramp(100);
  Floats got = want;
  for (float& v : got) v = std::nextafter(v, 2.0F);
  Comparison c(kForwardTolerance);
  c.check("exact", want, want);
  c.check("rounded", got, want);
  EXPECT_TRUE(c.result());
  EXPECT_EQ(c.worst_name(), "rounded");
  EXPECT_GT(c.worst(), 0.0);
  EXPECT_LT(c.worst(), 1e-6);
}

TEST(ParityComparison, NamesTheFirstOfSeveralMisses) {
  const Floats want = ramp(50);
  Floats off = want;
  off[17] += 1e-3F;
  Comparison c(kForwardTolerance);
  c.check("dna_projector", want, want);
  c.check("dna_to_rna", off, want);
  c.check("vce", off, want);
  EXPECT_FALSE(c.result());
  const std::string message = c.result().message();
  EXPECT_NE(message.find("first difference: dna_to_rna: relative error"), std::string::npos);
  EXPECT_NE(message.find("element 17 "), std::string::npos);
  EXPECT_NE(message.find("2 of 3 tensors differ"), std::string::npos);
}

TEST(ParityComparison, FindsErrorsJustOverTheTolerance) {
  const Floats want(1000, 1.0F);
  for (const double planted : {0.5, 2.0}) {
    Floats got = want;
    // One element carries the whole error of the norm.
    got[3] += static_cast<float>(planted * kGradientTolerance * norm(want));
    Comparison c(kGradientTolerance);
    c.check("planted", got, want);
    EXPECT_EQ(static_cast<bool>(c.result()), planted < 1.0);
  }
}

TEST(ParityComparison, FindsSwappedScaledAndShiftedTensors) {
  const Floats want = ramp(64);
  Floats swapped = want, scaled = want, shifted = want;
  std::swap(swapped[1], swapped[2]);
  for (float& v : scaled) v *= 1.0003F;
  for (float& v : shifted) v += 2e-4F;
  for (const Floats& got : {swapped, scaled, shifted}) {
    Comparison c(kGradientTolerance);
    c.check("planted", got, want);
    EXPECT_FALSE(c.result());
  }
}

TEST(ParityComparison, NotANumberAndInfinityAreMisses) {
  const Floats want = ramp(8);
  for (const float bad :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Floats got = want;
    got[5] = bad;
    Comparison relative(kForwardTolerance), absolute(kForwardTolerance);
    relative.check("bad", got, want);
    absolute.check_within("bad", got, want, 1.0);
    EXPECT_FALSE(relative.result());
    EXPECT_FALSE(absolute.result());
    EXPECT_NE(std::string(relative.result().message()).find("element 5 "), std::string::npos);
  }
}

TEST(ParityComparison, OtherSizeAndNothingComparedAreMisses) {
  Comparison sizes(1.0), empty(1.0), nothing(1.0);
  sizes.check("short", ramp(7), ramp(8));
  empty.check("empty", {}, {});
  EXPECT_FALSE(sizes.result());
  EXPECT_FALSE(empty.result());
  EXPECT_FALSE(nothing.result());
}

TEST(ParityComparison, ScaleExcusesOnlyNoise) {
  const Floats zero(10, 0.0F), noise(10, 1e-8F), error(10, 1e-3F);
  Comparison unscaled(kGradientTolerance), scaled(kGradientTolerance), real(kGradientTolerance);
  unscaled.check("key bias", noise, zero);
  scaled.check("key bias", noise, zero, 1.0);
  real.check("key bias", error, zero, 1.0);
  EXPECT_FALSE(unscaled.result());
  EXPECT_TRUE(scaled.result());
  EXPECT_FALSE(real.result());
}

TEST(ParityComparison, WithinHoldsEveryElement) {
  const Floats want = ramp(20);
  Floats got = want;
  got[19] += 2e-3F;
  Comparison wide(0.0), tight(0.0);
  wide.check_within("final", got, want, 3e-3);
  tight.check_within("final", got, want, 1e-3);
  EXPECT_TRUE(wide.result());
  EXPECT_FALSE(tight.result());
}

}  // namespace
}  // namespace cdt::test

// The nulls that a report draws: against closed forms and plain enumeration.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "apps/report/nulls.h"

namespace cdt {
namespace {

TEST(ReportNullsTest, OnePeakPerEnhancerIsBinomial) {
  const PeakGroups groups(40, std::vector<std::int64_t>{3});
  const NullCount count = shifted_count(groups, 50, 5);
  EXPECT_NEAR(count.mean, 4.0, 1e-12);
  EXPECT_NEAR(count.sd, std::sqrt(40 * 0.1 * 0.9), 1e-12);
}

TEST(ReportNullsTest, PeaksOfOneEnhancerMoveTogether) {
  // Four pairs with one peak: all four in the cell or none.
  const NullCount alike = shifted_count({{7, 7, 7, 7}}, 50, 5);
  EXPECT_NEAR(alike.mean, 0.4, 1e-12);
  EXPECT_NEAR(alike.sd, 4 * std::sqrt(0.1 * 0.9), 1e-12);
}

TEST(ReportNullsTest, ShiftedCountEqualsEnumeration) {
  const std::vector<std::int64_t> peaks{0, 2, 3, 11, 12};
  constexpr std::int64_t kBins = 13;
  constexpr std::int64_t kWidth = 4;
  double sum = 0;
  double square = 0;
  for (std::int64_t shift = 0; shift < kBins; ++shift) {
    double inside = 0;
    for (const std::int64_t peak : peaks) inside += (peak + shift) % kBins < kWidth ? 1 : 0;
    sum += inside / kBins;
    square += inside * inside / kBins;
  }
  const NullCount count = shifted_count({peaks}, kBins, kWidth);
  EXPECT_NEAR(count.mean, sum, 1e-12);
  EXPECT_NEAR(count.sd, std::sqrt(square - sum * sum), 1e-12);
}

TEST(ReportNullsTest, WholeWindowHoldsEveryPeak) {
  const NullCount count = shifted_count({{1, 2}, {5}}, 8, 8);
  EXPECT_NEAR(count.mean, 3.0, 1e-12);
  EXPECT_NEAR(count.sd, 0.0, 1e-6);
}

TEST(ReportNullsTest, ShiftedOverlapEqualsEnumeration) {
  const std::vector<std::int64_t> a{0, 1, 5};
  const std::vector<std::int64_t> b{1, 2, 9};
  std::vector<double> expected(4);
  for (std::int64_t shift = 0; shift < 10; ++shift) {
    std::size_t shared = 0;
    for (const std::int64_t i : a) {
      for (const std::int64_t j : b) shared += (i + shift) % 10 == j ? 1 : 0;
    }
    expected[shared] += 0.1;
  }
  const std::vector<double> found = shifted_overlap(a, b, 10);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-12) << i;
}

}  // namespace
}  // namespace cdt

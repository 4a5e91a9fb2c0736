// The null distributions that a report draws, against closed forms and plain enumeration.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "apps/report/nulls.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

TEST(ReportNullsTest, OnePeakPerEnhancerIsBinomial) {
  const PeakGroups groups(40, std::vector<std::int64_t>{3});
  const NullCount count = shifted_count(groups, 50, 5);
  EXPECT_NEAR(count.mean, 4.0, 1e-12);
  EXPECT_NEAR(count.sd, std::sqrt(40 * 0.1 * 0.9), 1e-12);
}

TEST(ReportNullsTest, PeaksOfOneEnhancerMoveTogether) {
  // Four pairs with one peak: all four are in the cell or none.
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

TEST(ReportNullsTest, ShiftedCorrelationEqualsEnumeration) {
  const std::vector<ProfilePairs> enhancers{
      {{{1, 4, 2, 0, 7}, {2, 2, 5, 1, 1}}, {{0, 3, 3, 1, 9}, {1, 0, 2, 2, 8}}},
      {{{5, 1, 1, 2, 3}}, {{4, 0, 2, 2, 2}}}};
  // Enumerates every combination of the two enhancers' shifts.
  double sum = 0;
  double square = 0;
  const auto shifted = [](std::vector<double> scores, std::ptrdiff_t by) {
    std::rotate(scores.begin(), scores.begin() + by, scores.end());
    return scores;
  };
  for (std::ptrdiff_t first = 0; first < 5; ++first) {
    for (std::ptrdiff_t second = 0; second < 5; ++second) {
      double r = 0;
      for (std::size_t e = 0; e < enhancers.size(); ++e) {
        for (std::size_t pair = 0; pair < enhancers[e].scores.size(); ++pair) {
          r += pearson(shifted(enhancers[e].scores[pair], e == 0 ? first : second),
                       enhancers[e].effects[pair]) /
               3.0;
        }
      }
      sum += r / 25.0;
      square += r * r / 25.0;
    }
  }
  EXPECT_NEAR(sum, 0.0, 1e-12);
  EXPECT_NEAR(shifted_correlation_sd(enhancers), std::sqrt(square), 1e-12);
}

}  // namespace
}  // namespace cdt

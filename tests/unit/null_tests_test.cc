#include "model/stats/null_tests.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "engine/random.h"
#include "model/stats/peak_tests.h"
#include "model/stats/profile.h"

namespace cdt {
namespace {

using Bins = std::vector<std::int64_t>;

// Values from SciPy: tests/parity/record_statistics.py.

TEST(NullTestTest, TailsCountTheObserved) {
  const NullTest t = null_test(4.0, {1, 2, 3, 4, 5, 2, 3, 2, 3});
  EXPECT_NEAR(t.expectation, 25.0 / 9.0, 1e-12);
  EXPECT_DOUBLE_EQ(t.p, 2.0 * (1.0 + 2.0) / 10.0);  // 4 and 5 are at least as large
  EXPECT_DOUBLE_EQ(t.z, (4.0 - t.expectation) / t.deviation);
  EXPECT_DOUBLE_EQ(null_test(0.0, {1, 2, 3}).p, 0.5);  // none is as small: 2 (1 + 0) / (3 + 1)
  EXPECT_DOUBLE_EQ(null_test(2.0, {2, 2, 2}).p, 1.0);
  EXPECT_TRUE(std::isnan(null_test(2.0, {2, 2, 2}).z));
  EXPECT_EQ(t.p_error, resampled_p(8, 2, 9).error);
  EXPECT_FALSE(t.at_floor);
  EXPECT_TRUE(std::isnan(null_test(NAN, {1, 2}).p));
}

TEST(ResampledPTest, ErrorIsThatOfTwiceABinomialTail) {
  const ResampledP p = resampled_p(960, 49, 999);  // the upper tail is 50 of 1000
  EXPECT_DOUBLE_EQ(p.p, 0.1);
  EXPECT_DOUBLE_EQ(p.error, 2.0 * std::sqrt(999.0 * 0.05 * 0.95) / 1000.0);
  EXPECT_FALSE(p.at_floor);
  EXPECT_DOUBLE_EQ(resampled_p(49, 960, 999).p, 0.1);
  const ResampledP floor = resampled_p(0, 999, 999);
  EXPECT_DOUBLE_EQ(floor.p, 0.002);
  EXPECT_NEAR(floor.error, 0.002, 0.002 / 500.0);  // p (1 - 1 / 1000) to first order
  EXPECT_TRUE(floor.at_floor);
  EXPECT_EQ(resampled_p(600, 500, 999).p, 1.0);
  EXPECT_TRUE(std::isnan(resampled_p(0, 0, 0).p));
}

// Over many sets of replicates with 3 % in the tail; the relative standard error of a standard
// deviation from n values is 1 / sqrt(2 n).
TEST(ResampledPTest, ErrorIsTheSpreadOfP) {
  constexpr int kSets = 1000;
  RandomStream random(11, 5);
  double sum = 0.0;
  double squares = 0.0;
  double errors = 0.0;
  for (int set = 0; set < kSets; ++set) {
    std::int64_t tail = 0;
    for (int i = 0; i < 499; ++i) tail += random.below(100) < 3 ? 1 : 0;
    const ResampledP p = resampled_p(499 - tail, tail, 499);
    sum += p.p;
    squares += p.p * p.p;
    errors += p.error * p.error / kSets;
  }
  const double spread = std::sqrt((squares - sum * sum / kSets) / (kSets - 1));
  EXPECT_NEAR(std::sqrt(errors) / spread, 1.0, 5.0 / std::sqrt(2.0 * kSets));
}

TEST(NullTestTest, TheWeakerTestHasTheLargerP) {
  NullTest a;
  NullTest b;
  a.p = 0.01;
  b.p = 0.2;
  EXPECT_EQ(&weaker_test(a, b), &b);
  EXPECT_EQ(&weaker_test(b, a), &b);
  b.p = std::nan("");
  EXPECT_EQ(&weaker_test(a, b), &b);
  EXPECT_EQ(&weaker_test(b, a), &b);
}

constexpr PeakWindow kWindow{8, 10, 20.0};  // offsets -40 to 30

TEST(PeakTestsTest, StatisticsAreThoseOfTheDefinition) {
  const PeakStatistics s = peak_statistics(Bins{0, 4, 5, 7}, kWindow);
  EXPECT_DOUBLE_EQ(s.distance_mean_bp, (40 + 0 + 10 + 30) / 4.0);
  EXPECT_DOUBLE_EQ(s.distance_median_bp, 20.0);  // between 10 and 30
  EXPECT_DOUBLE_EQ(s.share_near, 0.5);
  EXPECT_DOUBLE_EQ(s.edge_share, 0.5);
  EXPECT_DOUBLE_EQ(peak_statistics(Bins{7, 5, 0}, kWindow).distance_median_bp, 30.0);
  EXPECT_DOUBLE_EQ(peak_statistics(Bins{3, 5}, kWindow).distance_median_bp, 10.0);
  EXPECT_TRUE(std::isnan(peak_statistics(Bins{}, kWindow).distance_mean_bp));
  EXPECT_TRUE(std::isnan(peak_statistics(Bins{}, kWindow).distance_median_bp));
}

// Expectations are known exactly (random_peaks); a mean of n replicates is within five of its
// standard errors of them.
TEST(PeakTestsTest, UniformNullHasTheExactMoments) {
  constexpr PeakWindow kPaper{896, 128, 50000.0};
  const PeakGroups groups(100, Bins{448});
  const PeakTests t = uniform_peak_tests(groups, kPaper, {4000, 1});
  const RandomPeaks exact = random_peaks(896, 128, 20, 50000.0);
  const double error = 5.0 / std::sqrt(4000.0);
  EXPECT_NEAR(t.distance_mean_bp.deviation, exact.distance_sd_bp / 10.0, 30.0);
  EXPECT_NEAR(t.distance_mean_bp.expectation, exact.distance_mean_bp,
              error * t.distance_mean_bp.deviation);
  EXPECT_NEAR(t.share_near.expectation, exact.share_near, error * t.share_near.deviation);
  EXPECT_NEAR(t.edge_share.expectation, exact.edge_share, error * t.edge_share.deviation);
  EXPECT_DOUBLE_EQ(t.distance_mean_bp.p, 2.0 / 4001.0);  // every peak at the centre: no such draw
  EXPECT_LT(t.distance_mean_bp.z, -10.0);
}

// The genes of an enhancer move together: one enhancer with 100 equal peaks is one observation, and
// its mean distance varies as much as that of a single peak.
TEST(PeakTestsTest, ShiftsMoveTheGenesOfAnEnhancerTogether) {
  constexpr PeakWindow kPaper{896, 128, 50000.0};
  const PeakGroups one{Bins(100, 448)};
  const PeakTests shifted = shifted_peak_tests(one, kPaper, {4000, 1});
  const RandomPeaks exact = random_peaks(896, 128, 20, 50000.0);
  EXPECT_NEAR(shifted.distance_mean_bp.deviation, exact.distance_sd_bp, 0.1 * exact.distance_sd_bp);
  const PeakTests apart = shifted_peak_tests(PeakGroups(100, Bins{448}), kPaper, {4000, 1});
  EXPECT_NEAR(apart.distance_mean_bp.deviation, exact.distance_sd_bp / 10.0,
              0.1 * exact.distance_sd_bp / 10.0);
  EXPECT_TRUE(std::isnan(shifted_peak_tests(one, {1, 128, 50000.0}, {10, 1}).share_near.p));
}

// Under the null itself p is uniform: for many data sets of random peaks, about 5 % fall below
// 0.05. Two-sided p of a continuous statistic; the bounds are five binomial standard deviations.
TEST(PeakTestsTest, FalsePositivesAreAsManyAsStated) {
  constexpr PeakWindow kSmall{64, 128, 2000.0};
  int uniform = 0;
  int shifted = 0;
  constexpr int kSets = 400;
  for (int set = 0; set < kSets; ++set) {
    RandomStream random(static_cast<std::uint64_t>(set), 77);
    PeakGroups groups;
    for (int enhancer = 0; enhancer < 30; ++enhancer) {
      groups.push_back({static_cast<std::int64_t>(random.below(64))});
    }
    uniform += uniform_peak_tests(groups, kSmall, {199, 5}).distance_mean_bp.p < 0.05 ? 1 : 0;
    shifted += shifted_peak_tests(groups, kSmall, {199, 5}).distance_mean_bp.p < 0.05 ? 1 : 0;
  }
  EXPECT_NEAR(uniform, 0.05 * kSets, 5.0 * std::sqrt(kSets * 0.05 * 0.95));
  EXPECT_NEAR(shifted, 0.05 * kSets, 5.0 * std::sqrt(kSets * 0.05 * 0.95));
}

TEST(PeakTestsTest, IntervalOfPeaksThatAgreeIsAPoint) {
  const PeakIntervals i = peak_intervals({{4, 4}, {4}, {4}}, kWindow, {.replicates = 50});
  EXPECT_EQ(i.distance_mean_bp.low, 0.0);
  EXPECT_EQ(i.distance_median_bp.high, 0.0);
  EXPECT_EQ(i.share_near.low, 1.0);
  const PeakIntervals wide = peak_intervals({{0}, {4}}, kWindow, {.replicates = 500});
  EXPECT_EQ(wide.distance_mean_bp.low, 0.0);
  EXPECT_EQ(wide.distance_mean_bp.high, 40.0);
}

TEST(OverlapTestsTest, HypergeometricAsSciPy) {
  const std::vector<double> paper = overlap_probabilities(20, 896);
  const double wanted[] = {0.6335603083090345,   0.2957107623379393,    0.06220954848717716,
                           0.007821456620040907, 0.0006570933032534364, 3.907453789381643e-05};
  for (std::size_t x = 0; x < 6; ++x) EXPECT_NEAR(paper[x] / wanted[x], 1.0, 1e-10);
  const std::vector<double> crowded = overlap_probabilities(11, 16);  // at least 6 are shared
  EXPECT_NEAR(overlap_probabilities(5, 5)[5], 1.0, 1e-12);
  EXPECT_EQ(crowded[5], 0.0);
  EXPECT_NEAR(crowded[6], 0.10576923076923078, 1e-12);
  EXPECT_NEAR(crowded[11], 0.00022893772893772894, 1e-14);
  EXPECT_NEAR(std::accumulate(crowded.begin(), crowded.end(), 0.0), 1.0, 1e-12);
}

/// `count` pairs that share `shared` bins in total, 0 to 20 each.
NullTest overlaps(std::int64_t count, std::int64_t shared) {
  std::vector<Bins> tops;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t x = std::min<std::int64_t>(shared, 20);
    shared -= x;
    Bins second(20);
    std::iota(second.begin(), second.end(), 20 - x);
    tops.push_back(second);
  }
  Bins first(20);
  std::iota(first.begin(), first.end(), 0);
  std::vector<TopPair> pairs;
  for (const Bins& second : tops) pairs.push_back({first, second, 0});
  return hypergeometric_overlap_test(pairs, 20, 896);
}

TEST(OverlapTestsTest, SumOverPairsAsSciPy) {
  EXPECT_NEAR(overlaps(100, 220).p / 4.794574673007594e-85, 1.0, 1e-9);
  EXPECT_NEAR(overlaps(100, 45).p, 0.9987751817092755, 1e-10);
  EXPECT_NEAR(overlaps(100, 30).p, 0.023461310104994377, 1e-10);
  EXPECT_NEAR(overlaps(7, 11).p, 0.0005409615619728832, 1e-12);
  const NullTest t = overlaps(100, 220);
  EXPECT_DOUBLE_EQ(t.observed, 2.2);
  EXPECT_NEAR(t.expectation, 400.0 / 896.0, 1e-12);
  EXPECT_NEAR(t.deviation, 0.65 / 10.0, 0.001);
  EXPECT_TRUE(std::isnan(t.p_error)) << "exact";
  EXPECT_EQ(overlaps(60, 1200).p, 1e-300);  // every top bin equal: below any double
}

// All shifts by 1 to 7 of {0, 1, 2} against {0, 1, 2} in a window of 8 share 2 1 0 0 0 1 2.
TEST(OverlapTestsTest, ShiftsKeepNeighboursTogether) {
  const Bins top{0, 1, 2};
  const std::vector<TopPair> pairs{{top, top, 0}};
  const NullTest t = shifted_overlap_test(pairs, 8, {7000, 3});
  EXPECT_EQ(t.observed, 3.0);
  EXPECT_NEAR(t.expectation, 6.0 / 7.0, 5.0 * t.deviation / std::sqrt(7000.0));
  EXPECT_EQ(t.low, 0.0);
  EXPECT_EQ(t.high, 2.0);
  EXPECT_DOUBLE_EQ(t.p, 2.0 / 7001.0);
  EXPECT_TRUE(t.at_floor);
  EXPECT_TRUE(std::isnan(shifted_overlap_test(pairs, 1, {10, 3}).p));
  EXPECT_TRUE(std::isnan(shifted_overlap_test({}, 8, {10, 3}).p));
}

// Two genes of one enhancer are shifted by the same amount: the mean of two equal sets varies as
// one.
TEST(OverlapTestsTest, GenesOfAnEnhancerAreOneObservation) {
  const Bins top{0, 1, 2};
  const std::vector<TopPair> together{{top, top, 0}, {top, top, 0}};
  const std::vector<TopPair> apart{{top, top, 0}, {top, top, 1}};
  const double one = shifted_overlap_test(together, 8, {7000, 3}).deviation;
  EXPECT_NEAR(one, std::sqrt(10.0 / 7.0 - 36.0 / 49.0), 0.05);
  EXPECT_NEAR(shifted_overlap_test(apart, 8, {7000, 3}).deviation, one / std::sqrt(2.0), 0.05);
}

}  // namespace
}  // namespace cdt

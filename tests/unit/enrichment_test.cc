#include "model/stats/enrichment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "engine/random.h"

namespace cdt {
namespace {

void expect_relative(double value, double expected, double tolerance) {
  EXPECT_LE(std::fabs(value / expected - 1.0), tolerance) << value << " against " << expected;
}

// Expected values: SciPy 1.17.1, fisher_exact([[a, b], [c, d]]).statistic and .pvalue, the same
// with alternative="greater" and "two-sided".
TEST(FisherTest, AgainstSciPy) {
  struct Case {
    CountTable table;
    double odds, greater, two_sided;
  };
  for (const Case& c : {
           Case{{8, 2, 1, 5}, 20.0, 0.024475524475524483, 0.034965034965034975},
           Case{{3, 1, 1, 3}, 9.0, 0.24285714285714283, 0.48571428571428565},
           Case{{40, 360, 900, 16620},
                2.051851851851852,
                7.111182635231826e-05,
                9.189302104989462e-05},
           Case{{120, 19800, 4100, 867996},
                1.2830687361419069,
                0.0053796714633225235,
                0.008950140180135355},
       }) {
    const FisherTest test = fisher_exact(c.table);
    expect_relative(test.odds_ratio, c.odds, 1e-15);
    expect_relative(test.p_greater, c.greater, 1e-10);
    expect_relative(test.p_two_sided, c.two_sided, 1e-10);
  }
}

// Expected values: sums of binomial coefficients in rational arithmetic.
TEST(FisherTest, AgainstExactFractions) {
  const FisherTest middle = fisher_exact({40, 360, 900, 16620});
  expect_relative(middle.p_greater, 7.11118263523184e-05, 1e-12);
  expect_relative(middle.p_less, 0.9999669446852556, 1e-12);
  expect_relative(middle.p_doubled, 0.0001422236527046368, 1e-12);
  expect_relative(middle.p_two_sided, 9.18930210498948e-05, 1e-12);
  const FisherTest none = fisher_exact({0, 10, 12, 4});
  EXPECT_EQ(none.odds_ratio, 0.0);
  expect_relative(none.p_greater, 1.0, 1e-14);
  expect_relative(none.p_less, 0.00018845066630771302, 1e-13);
  expect_relative(none.p_doubled, 0.00037690133261542605, 1e-13);
  expect_relative(none.p_two_sided, 0.00020087598496536441, 1e-13);
  const FisherTest all = fisher_exact({20, 0, 30, 500});
  EXPECT_EQ(all.odds_ratio, std::numeric_limits<double>::infinity());
  expect_relative(all.p_greater, 2.5351004674837934e-23, 1e-13);
  expect_relative(all.p_two_sided, 2.5351004674837934e-23, 1e-13);
}

TEST(FisherTest, EmptyMargins) {
  const FisherTest test = fisher_exact({0, 0, 3, 4});
  EXPECT_TRUE(std::isnan(test.odds_ratio));
  EXPECT_EQ(test.p_greater, 1.0);
  EXPECT_EQ(test.p_doubled, 1.0);
  EXPECT_EQ(test.p_two_sided, 1.0);
}

// Expected values: SciPy 1.17.1, false_discovery_control(p, method="bh").
TEST(QValuesTest, AgainstSciPy) {
  const std::vector<double> p{0.01, 0.04, 0.03, 0.005, 0.55, 0.8, 0.2, 0.04};
  const std::vector<double> expected{
      0.04, 0.064, 0.064, 0.04, 0.6285714285714286, 0.8, 0.26666666666666666, 0.064};
  const std::vector<double> q = benjamini_hochberg(p);
  ASSERT_EQ(q.size(), p.size());
  for (std::size_t i = 0; i < p.size(); ++i) expect_relative(q[i], expected[i], 1e-15);
}

TEST(QValuesTest, UndefinedOnesDoNotCount) {
  const double nan = std::nan("");
  const std::vector<double> q = benjamini_hochberg(std::vector<double>{nan, 0.5, 0.02, nan});
  EXPECT_TRUE(std::isnan(q[0]) && std::isnan(q[3]));
  EXPECT_DOUBLE_EQ(q[2], 0.04);
  EXPECT_DOUBLE_EQ(q[1], 0.5);
  EXPECT_TRUE(benjamini_hochberg(std::vector<double>{}).empty());
}

/// Windows of 40 bins, five of them in a row covered by an element; the top bins of two pairs lie
/// on the element (`on`) or anywhere.
std::vector<EnrichmentWindow> make_windows(std::size_t count, bool on) {
  RandomStream random(3, 1);
  std::vector<EnrichmentWindow> out;
  for (std::size_t w = 0; w < count; ++w) {
    EnrichmentWindow window{std::vector<bool>(40, true), std::vector<bool>(40, false), {}};
    const std::size_t from = random.below(35);
    for (std::size_t bin = from; bin < from + 5; ++bin) window.covered[bin] = true;
    for (int pair = 0; pair < 2; ++pair) {
      const std::size_t top = on ? from : random.below(40);
      window.tops.push_back(
          {static_cast<std::int64_t>(top), static_cast<std::int64_t>((top + 2) % 40)});
    }
    out.push_back(window);
  }
  return out;
}

TEST(EnrichmentTest, FindsWhatIsThere) {
  const Enrichment e = enrichment(make_windows(30, true), {999, {200, 0.95, 0}, 0});
  EXPECT_EQ(e.table.a, 120);  // 30 windows, 2 pairs, 2 bins
  EXPECT_EQ(e.table.b, 0);
  EXPECT_EQ(e.table.c, 30 * 2 * 5 - 120);
  EXPECT_EQ(e.table.d, 30 * 2 * 35);
  EXPECT_DOUBLE_EQ(e.fold, 8.0);
  EXPECT_DOUBLE_EQ(e.fold_interval.low, 8.0);
  EXPECT_DOUBLE_EQ(e.shift.test.p, 2.0 / 1000.0);
  EXPECT_DOUBLE_EQ(e.other.test.p, 2.0 / 1000.0);
  EXPECT_NEAR(e.shift.mean_fold, 1.0, 0.3);
  EXPECT_TRUE(e.more());
  EXPECT_DOUBLE_EQ(e.weakest.p, 2.0 / 1000.0);
  EXPECT_TRUE(e.weakest.at_floor);
  EXPECT_EQ(e.weakest.error, e.shift.test.error);
}

/// Windows of 100 bins, half of them on an element at a random place; the twenty top bins lie off
/// it, except that three of every five windows have one on it.
std::vector<EnrichmentWindow> make_depleted(std::size_t count) {
  RandomStream random(7, 1);
  std::vector<EnrichmentWindow> out;
  for (std::size_t w = 0; w < count; ++w) {
    EnrichmentWindow window{std::vector<bool>(100, true), std::vector<bool>(100, false), {{}}};
    const std::size_t from = random.below(100);
    for (std::size_t bin = 0; bin < 50; ++bin) window.covered[(from + bin) % 100] = true;
    for (std::size_t top = 0; top < 20; ++top) {
      const bool on = top == 0 && w % 5 < 3;
      window.tops.front().push_back(static_cast<std::int64_t>((from + (on ? 25 : 60 + top)) % 100));
    }
    out.push_back(window);
  }
  return out;
}

TEST(EnrichmentTest, FindsDepletion) {
  const Enrichment e = enrichment(make_depleted(30), {999, {200, 0.95, 0}, 0});
  EXPECT_EQ(e.table.a, 18);  // 300 expected by chance
  EXPECT_DOUBLE_EQ(e.fold, 0.06);
  EXPECT_LT(e.fold_interval.high, 0.1);
  EXPECT_FALSE(e.more());
  EXPECT_LT(e.fisher.p_doubled, 1e-50);
  EXPECT_DOUBLE_EQ(e.shift.test.p, 2.0 / 1000.0);
  EXPECT_DOUBLE_EQ(e.other.test.p, 2.0 / 1000.0);
  EXPECT_DOUBLE_EQ(e.weakest.p, 2.0 / 1000.0);
}

// In every window the element covers the middle except for one bin. Of two top bins one is on it
// and one in its gap: more than the element's share of the window, but less than on the elements of
// other windows.
TEST(EnrichmentTest, TestsThatContradictEachOtherShowNothing) {
  std::vector<EnrichmentWindow> windows;
  for (std::size_t w = 0; w < 40; ++w) {
    EnrichmentWindow window{std::vector<bool>(40, true), std::vector<bool>(40, false), {{}}};
    for (std::size_t bin = 10; bin < 20; ++bin) window.covered[bin] = true;
    window.covered[10 + w % 10] = false;
    window.tops.front() = {static_cast<std::int64_t>(10 + w % 10),
                           static_cast<std::int64_t>(10 + (w + 1) % 10)};
    windows.push_back(window);
  }
  const Enrichment e = enrichment(windows, {999, {200, 0.95, 0}, 0});
  EXPECT_GT(e.fold, 2.0);
  EXPECT_GT(e.other.mean_fold, e.fold);
  EXPECT_TRUE(e.shift.more);
  EXPECT_FALSE(e.other.more);
  EXPECT_LT(std::max({e.fisher.p_doubled, e.shift.test.p, e.other.test.p}), 0.01);
  EXPECT_EQ(e.weakest.p, 1.0);
  EXPECT_TRUE(std::isnan(e.weakest.error));
}

TEST(EnrichmentTest, FindsNothingWhereNothingIs) {
  const Enrichment e = enrichment(make_windows(60, false), {999, {200, 0.95, 0}, 0});
  EXPECT_GT(e.weakest.p, 0.05);
  EXPECT_LT(e.fold_interval.low, 1.0);
  EXPECT_GT(e.fold_interval.high, 1.0);
  EXPECT_GE(e.weakest.p, std::max({e.fisher.p_doubled, e.shift.test.p, e.other.test.p}));
}

// Top bins and elements both sit in the middle of every window. The shift test calls that enriched;
// placing top bins on other windows does not.
TEST(EnrichmentTest, OtherWindowsSeeThroughACommonPlace) {
  std::vector<EnrichmentWindow> windows;
  for (int w = 0; w < 40; ++w) {
    EnrichmentWindow window{std::vector<bool>(40, true), std::vector<bool>(40, false), {{20}}};
    window.covered[20] = true;
    windows.push_back(window);
  }
  const Enrichment e = enrichment(windows, {999, {200, 0.95, 0}, 0});
  EXPECT_DOUBLE_EQ(e.shift.test.p, 2.0 / 1000.0);
  EXPECT_DOUBLE_EQ(e.other.test.p, 1.0);
  EXPECT_DOUBLE_EQ(e.weakest.p, 1.0);
}

TEST(EnrichmentTest, PairsOfAWindowMoveTogether) {
  // One window, one covered bin of 10, 50 pairs that all peak there: a shift keeps all or none, and
  // none of the 9 shifts keeps them.
  EnrichmentWindow window{std::vector<bool>(10, true), std::vector<bool>(10, false), {}};
  window.covered[3] = window.covered[6] = true;
  window.tops.assign(50, {3});
  const Enrichment e = enrichment(std::vector{window}, {8999, {200, 0.95, 0}, 0});
  EXPECT_NEAR(e.shift.test.p, 2.0 / 9.0, 5 * e.shift.test.error);
  EXPECT_TRUE(std::isnan(e.other.test.p));
  EXPECT_EQ(e.weakest.p, e.shift.test.p);
}

TEST(EnrichmentTest, IneligibleBinsDoNotCount) {
  EnrichmentWindow window{{true, true, true, true, false, false},
                          {true, false, false, false, true, true},
                          {{0, 4}, {1, 5}}};
  const Enrichment e = enrichment(std::vector{window}, {99, {10, 0.95, 0}, 0});
  EXPECT_EQ(e.table.a, 1);
  EXPECT_EQ(e.table.b, 1);
  EXPECT_EQ(e.table.c, 1);
  EXPECT_EQ(e.table.d, 5);
}

TEST(EnrichmentTest, UndefinedWithoutContrast) {
  for (const bool covered : {false, true}) {
    const EnrichmentWindow window{std::vector<bool>(5, true), std::vector<bool>(5, covered), {{1}}};
    const Enrichment e = enrichment(std::vector{window, window}, {99, {10, 0.95, 0}, 0});
    EXPECT_TRUE(std::isnan(e.fold) && std::isnan(e.weakest.p) && std::isnan(e.shift.test.p));
  }
}

}  // namespace
}  // namespace cdt

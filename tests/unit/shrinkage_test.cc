#include "model/stats/shrinkage.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "engine/random.h"

namespace cdt {
namespace {

using Values = std::vector<double>;
using Groups = std::vector<std::int32_t>;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ShrinkageTest, AnUnbalancedCaseByHand) {
  // Groups {1, 3}, {8}, {4, 5, 6} with means 2, 8, 5; overall mean 4.5. Within: (2 + 0 + 2) / (6 -
  // 3) = 4/3. Between: squares 12.5 + 12.25 + 0.75 = 25.5, divided by 2 = 12.75; typical size (6 -
  // 14/6) / 2 = 11/6; variance (12.75 - 4/3) / (11/6) = 137/22.
  const ShrunkMeans s = shrink_means(Values{1, 3, 8, 4, 5, 6}, Groups{0, 0, 1, 3, 3, 3}, 4);
  const double k = (4.0 / 3.0) / (137.0 / 22.0);
  EXPECT_NEAR(s.ratio, k, 1e-14);
  const Values weight{2 / (2 + k), 1 / (1 + k), 3 / (3 + k)};
  const double centre =
      (2 * weight[0] + 8 * weight[1] + 5 * weight[2]) / (weight[0] + weight[1] + weight[2]);
  EXPECT_NEAR(s.centre, centre, 1e-14);
  ASSERT_EQ(s.means.size(), 4U);
  EXPECT_NEAR(s.means[0], centre + weight[0] * (2 - centre), 1e-14);
  EXPECT_NEAR(s.means[1], centre + weight[1] * (8 - centre), 1e-14);
  EXPECT_EQ(s.means[2], s.centre);  // a group without values
  EXPECT_NEAR(s.means[3], centre + weight[2] * (5 - centre), 1e-14);
}

TEST(ShrinkageTest, AllIsTheMeanWhereGroupsCannotBeToldApart) {
  const auto expect_centre = [](const Values& values, const Groups& group, double centre) {
    const ShrunkMeans s = shrink_means(values, group, 3);
    EXPECT_EQ(s.ratio, kInfinity);
    EXPECT_EQ(s.means, Values(3, centre));
  };
  expect_centre({1, 5, 1, 5}, {0, 0, 2, 2}, 3);  // equal groups
  expect_centre({1, 2, 6}, {0, 1, 2}, 3);        // one value per group
  expect_centre({1, 5}, {1, 1}, 3);              // a single group
  expect_centre({7}, {2}, 7);
  expect_centre({2, 2, 2, 2}, {0, 0, 1, 1}, 2);  // no variance at all
}

TEST(ShrinkageTest, GroupsWithoutNoiseKeepTheirMeans) {
  const ShrunkMeans s = shrink_means(Values{1, 1, 4, 4, 4, -2}, Groups{0, 0, 1, 1, 1, 2}, 3);
  EXPECT_EQ(s.ratio, 0.0);
  EXPECT_EQ(s.means, (Values{1, 4, -2}));
}

TEST(ShrinkageTest, NoGroupEffectGivesOneMean) {
  // Noise only: the estimated variance between groups has mean 0 and a long right tail, so in more
  // than half of all draws it is not positive.
  int constant = 0;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    RandomStream random(seed, 1);
    Values values;
    Groups group;
    for (std::int32_t g = 0; g < 30; ++g) {
      for (std::int32_t i = 0; i <= g % 4; ++i) {
        values.push_back(random.normal());
        group.push_back(g);
      }
    }
    const ShrunkMeans s = shrink_means(values, group, 30);
    if (s.ratio == kInfinity) {
      ++constant;
      EXPECT_EQ(s.means, Values(30, s.centre)) << seed;
    }
  }
  EXPECT_GE(constant, 10);
}

TEST(ShrinkageTest, FewValuesAGroupPredictBetterThanRawMeans) {
  RandomStream random(5, 2);
  constexpr std::size_t kGroups = 200;
  Values effect;
  Values values;
  Groups group;
  Values raw;
  for (std::size_t g = 0; g < kGroups; ++g) {
    effect.push_back(0.5 * random.normal());
    const std::size_t n = 1 + g % 4;
    double sum = 0;
    for (std::size_t i = 0; i < n; ++i) {
      values.push_back(effect[g] + random.normal());
      group.push_back(static_cast<std::int32_t>(g));
      sum += values.back();
    }
    raw.push_back(sum / static_cast<double>(n));
  }
  const ShrunkMeans s = shrink_means(values, group, kGroups);
  EXPECT_GT(s.ratio, 1.0);  // 1 / 0.25 = 4 without sampling error
  EXPECT_LT(s.ratio, 16.0);
  double error_raw = 0;
  double error_shrunk = 0;
  for (std::size_t g = 0; g < kGroups; ++g) {
    const double fresh = effect[g] + random.normal();
    error_raw += (raw[g] - fresh) * (raw[g] - fresh);
    error_shrunk += (s.means[g] - fresh) * (s.means[g] - fresh);
  }
  // In the mean over draws, 1 + 0.52 against 1 + 0.16.
  EXPECT_LT(error_shrunk, 0.9 * error_raw);
}

TEST(ShrinkageTest, LeaveOneOutIsTheMeanOfTheOthers) {
  const Values values{1, 3, 8, 4, 5, 6.5, -2, 0.25};
  const Groups group{0, 0, 1, 3, 3, 3, 4, 4};
  const ShrunkMeans s = shrink_means(values, group, 5);
  ASSERT_TRUE(s.ratio > 0 && s.ratio < kInfinity);
  const Values loo = leave_unit_out_means(values, group, 5, Groups{0, 1, 2, 3, 4, 5, 6, 7});
  const auto drawn = [&](double mean, double n) {
    return s.centre + n / (n + s.ratio) * (mean - s.centre);
  };
  EXPECT_NEAR(loo[0], drawn(3, 1), 1e-14);
  EXPECT_NEAR(loo[1], drawn(1, 1), 1e-14);
  EXPECT_EQ(loo[2], s.centre);  // alone in its group
  EXPECT_NEAR(loo[3], drawn(5.75, 2), 1e-14);
  EXPECT_NEAR(loo[5], drawn(4.5, 2), 1e-14);
  EXPECT_NEAR(loo[7], drawn(-2, 1), 1e-14);
  EXPECT_EQ(leave_unit_out_means(Values{3}, Groups{0}, 1, Groups{0}), Values{3});
  const Values by_unit = leave_unit_out_means(values, group, 5, Groups{1, 1, 1, 7, 2, 7, 1, 2});
  EXPECT_EQ(by_unit[0], s.centre);  // its whole group is one unit
  EXPECT_NEAR(by_unit[3], drawn(5, 1), 1e-14);
  EXPECT_NEAR(by_unit[4], drawn(5.25, 2), 1e-14);
  EXPECT_NEAR(by_unit[7], drawn(-2, 1), 1e-14);
}

}  // namespace
}  // namespace cdt

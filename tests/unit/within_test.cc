#include "model/stats/within.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "engine/random.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

using Values = std::vector<float>;
using Groups = std::vector<std::int32_t>;

/// The definition: Pearson's r of the values minus their group's mean.
double by_centring(const Values& x, const Values& y, const Groups& group) {
  struct Sum {
    double n = 0, x = 0, y = 0;
  };
  std::map<std::int32_t, Sum> sums;
  for (std::size_t i = 0; i < group.size(); ++i) {
    Sum& sum = sums[group[i]];
    sum.n += 1;
    sum.x += x[i];
    sum.y += y[i];
  }
  std::vector<double> centred_x, centred_y;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const Sum& sum = sums[group[i]];
    if (sum.n < 2) continue;
    centred_x.push_back(x[i] - sum.x / sum.n);
    centred_y.push_back(y[i] - sum.y / sum.n);
  }
  return pearson(centred_x, centred_y);
}

// Between the groups x and y rise together, within each they move against each other.
TEST(WithinGroupsTest, DifferencesBetweenGroupsDoNotCount) {
  const Values x{0, 1, 10, 11, 50};
  const Values y{1, 0, 11, 10, 70};
  const WithinGroups within(x, y, Groups{3, 3, 8, 8, 5});
  EXPECT_EQ(within.pairs(), 4);
  EXPECT_EQ(within.groups(), 2);
  EXPECT_DOUBLE_EQ(within.pearson(), -1.0);
}

TEST(WithinGroupsTest, UndefinedIfNothingVariesWithin) {
  const Values x{0.1F, 0.1F, 0.1F, 0.7F, 0.7F};
  const Values y{1, 2, 3, 4, 5};
  const Groups group{0, 0, 0, 1, 1};
  EXPECT_TRUE(std::isnan(WithinGroups(x, y, group).pearson()));
  EXPECT_TRUE(std::isnan(WithinGroups(y, x, group).pearson()));
  const WithinGroups alone(x, y, Groups{0, 1, 2, 3, 4});
  EXPECT_EQ(alone.pairs(), 0);
  EXPECT_TRUE(std::isnan(alone.pearson()));
  // Only one pair of each group is drawn, several times: rounding is no variance.
  const Values odd{0.1F, 0.3F, 0.7F, 1.7F, 1.9F};
  const std::vector<double> times{0, 3, 0, 7, 0};
  EXPECT_TRUE(std::isnan(WithinGroups(odd, y, group).pearson(times)));
}

TEST(WithinGroupsTest, AgainstTheDefinitionWithAnyMultiplicities) {
  RandomStream random(11, 2);
  for (int round = 0; round < 100; ++round) {
    Values x, y, all_x, all_y;
    Groups group, all_group;
    std::vector<double> times;
    for (int i = 0; i < 60; ++i) {
      x.push_back(static_cast<float>(random.normal()));
      y.push_back(static_cast<float>(x.back() + random.normal()));
      group.push_back(static_cast<std::int32_t>(random.below(25)));
      times.push_back(static_cast<double>(random.below(3)));
      const auto copies = static_cast<std::size_t>(times.back());
      all_x.insert(all_x.end(), copies, x.back());
      all_y.insert(all_y.end(), copies, y.back());
      all_group.insert(all_group.end(), copies, group.back());
    }
    const WithinGroups within(x, y, group);
    EXPECT_NEAR(within.pearson(), by_centring(x, y, group), 1e-12);
    EXPECT_NEAR(within.pearson(times), by_centring(all_x, all_y, all_group), 1e-12);
  }
}

}  // namespace
}  // namespace cdt

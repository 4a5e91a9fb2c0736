// Whether scores follow the class of the gene: a preference that does not depend on the gene, or
// depends on it without regard to its class, is no evidence.
#include "model/stats/class_contrast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/random.h"

namespace cdt {
namespace {

constexpr std::int64_t kPermutations = 499;

/// Scores of `enhancers` windows for eight genes, odd ones of the second class.
/// of_gene[g]: the AUROC of the first site over the second for that gene; noise is added.
std::vector<ClassedScore> scores(const std::vector<double>& of_gene, int enhancers) {
  RandomStream random(4, 1);
  std::vector<ClassedScore> out;
  for (int e = 0; e < enhancers; ++e) {
    for (std::size_t g = 0; g < of_gene.size(); ++g) {
      const double noise = 0.05 * (random.uniform() - 0.5);
      out.push_back({e, static_cast<std::int32_t>(g), g % 2 == 1, of_gene[g] + noise});
    }
  }
  return out;
}

TEST(OwnOverOther, FindsWhatFollowsTheClass) {
  const OwnOverOther o =
      own_over_other(scores({0.9, 0.2, 0.9, 0.2, 0.9, 0.2, 0.9, 0.2}, 30), kPermutations, 1);
  EXPECT_EQ(o.enhancers, 30);
  EXPECT_NEAR(o.first.value, 0.9, 0.02);
  EXPECT_NEAR(o.second.value, 0.8, 0.02);
  EXPECT_NEAR(o.both.value, 0.85, 0.02);
  EXPECT_GT(o.both.interval.low, 0.8);
  // The true division of eight genes is one of 70.
  EXPECT_LT(o.p, 0.05);
}

TEST(OwnOverOther, APreferenceOfEveryGeneIsNone) {
  const OwnOverOther o = own_over_other(scores(std::vector<double>(8, 0.9), 30), kPermutations, 1);
  EXPECT_NEAR(o.first.value, 0.9, 0.02);
  EXPECT_NEAR(o.second.value, 0.1, 0.02);
  EXPECT_NEAR(o.both.value, 0.5, 0.01);
  EXPECT_GT(o.p, 0.05);
}

// Each gene has a preference of its own, in all windows: the interval over enhancers is far above
// 0.5, because by chance the classes have different means; shuffled classes do as well.
TEST(OwnOverOther, GenesThatDifferWithoutRegardToTheirClassGiveNoSmallP) {
  const OwnOverOther o =
      own_over_other(scores({0.9, 0.8, 0.1, 0.2, 0.9, 0.1, 0.6, 0.5}, 30), kPermutations, 1);
  EXPECT_GT(o.both.interval.low, 0.55);
  EXPECT_GT(o.p, 0.05);
}

TEST(OwnOverOther, OnlyWindowsOfBothClassesCount) {
  std::vector<ClassedScore> some = scores({0.9, 0.2}, 10);
  for (ClassedScore& s : some) {
    if (s.enhancer >= 4 && s.of_second) s.enhancer += 100;
  }
  EXPECT_EQ(own_over_other(some, 9, 1).enhancers, 4);
  for (ClassedScore& s : some) s.of_second = false;
  const OwnOverOther none = own_over_other(some, 9, 1);
  EXPECT_EQ(none.enhancers, 0);
  EXPECT_TRUE(std::isnan(none.both.value));
  EXPECT_TRUE(std::isnan(none.p));
  EXPECT_EQ(own_over_other({}, 9, 1).enhancers, 0);
}

TEST(AlikenessByClass, ComparesMeansOverPairsOfGenes) {
  std::vector<WindowAlikeness> windows;
  for (int e = 0; e < 20; ++e) windows.push_back({1.8, 2.0, 2.0 + 0.01 * e, 4.0});
  windows.push_back({0.0, 0.0, 0.5, 1.0});  // two genes of different classes
  const AlikenessByClass a = alikeness_by_class(windows, 1);
  EXPECT_NEAR(a.same.value, 0.9, 1e-12);
  EXPECT_NEAR(a.other.value, (20 * 2.0 + 0.01 * 190 + 0.5) / 81.0, 1e-12);
  EXPECT_NEAR(a.difference.value, a.same.value - a.other.value, 1e-12);
  EXPECT_LT(a.difference.interval.low, a.difference.value);
  EXPECT_LT(a.difference.value, a.difference.interval.high);
}

TEST(AlikenessByClass, UndefinedWithoutPairsOfGenes) {
  const AlikenessByClass a = alikeness_by_class({{0.0, 0.0, 0.4, 1.0}, {0.0, 0.0, 0.6, 1.0}}, 1);
  EXPECT_TRUE(std::isnan(a.same.value));
  EXPECT_NEAR(a.other.value, 0.5, 1e-12);
  EXPECT_TRUE(std::isnan(a.difference.value));
  EXPECT_TRUE(std::isnan(alikeness_by_class({}, 1).other.value));
}

}  // namespace
}  // namespace cdt

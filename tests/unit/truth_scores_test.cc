#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "apps/attribute/numbers.h"
#include "apps/common/tables.h"

namespace cdt {
namespace {

const TruthSites kSites{{1, 2}, {5, 6}};

TEST(SiteScoresTest, AMethodThatKnows) {
  const SiteScores s = site_scores({0, 9, -8, 0, 0, 0, 0, 0}, kSites);  // the sign does not matter
  EXPECT_EQ(s.causal_auroc, 1.0);
  EXPECT_EQ(s.decoy_auroc, 0.5);
  EXPECT_EQ(s.causal_over_decoy, 1.0);
  EXPECT_EQ(s.causal_precision, 1.0);
  EXPECT_EQ(s.decoy_precision, 0.0);
}

TEST(SiteScoresTest, AMethodThatFallsForTheDecoy) {
  const SiteScores s = site_scores({1, 2, 3, 1, 1, 9, 9, 1}, kSites);
  EXPECT_EQ(s.causal_auroc, 1.0);
  EXPECT_EQ(s.decoy_auroc, 1.0);
  EXPECT_EQ(s.causal_over_decoy, 0.0);
  EXPECT_EQ(s.causal_precision, 0.0);
  EXPECT_EQ(s.decoy_precision, 1.0);
}

TEST(SiteScoresTest, AMethodThatKnowsNothing) {
  const SiteScores s = site_scores(std::vector<float>(8, 0.25F), kSites);
  EXPECT_EQ(s.causal_auroc, 0.5);
  EXPECT_EQ(s.decoy_auroc, 0.5);
  EXPECT_EQ(s.causal_over_decoy, 0.5);
  EXPECT_EQ(s.causal_precision, 0.25);  // 2 of 8 bins
  EXPECT_EQ(s.decoy_precision, 0.25);
}

TEST(SiteScoresTest, WithoutASite) {
  const SiteScores s = site_scores({1, 2, 3}, {{}, {0}});
  EXPECT_TRUE(std::isnan(s.causal_auroc) && std::isnan(s.causal_precision));
  EXPECT_EQ(s.decoy_auroc, 0.0);
}

TEST(FormatTest, OfAnyLength) {
  EXPECT_EQ(text("%d %s", 7, "x"), "7 x");
  EXPECT_EQ(text("%s", std::string(5000, 'y').c_str()).size(), 5000U);
  EXPECT_EQ(text("%s", ""), "");
}

}  // namespace
}  // namespace cdt

// Positives, their ranking by model and baselines, and the numbers by distance.
#include "apps/evaluation/classification.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>
#include <vector>

#include "apps/evaluation/by_distance.h"
#include "engine/random.h"
#include "tests/support/evaluated.h"

namespace cdt {
namespace {

using test::pair;

TEST(PositivesTest, LabelsOrAThreshold) {
  std::vector<Pair> pairs{pair(0, 0, -0.5F), pair(0, 1, -0.1F), pair(1, 0, 0.2F)};
  EXPECT_FALSE(positives_of(pairs, std::nullopt).has_value());
  // -0.1F is a little below the number -0.1, but it is written -0.1.
  EXPECT_EQ(positives_of(pairs, -0.1)->is_positive, (std::vector<bool>{true, false, false}));
  EXPECT_EQ(positives_of(pairs, -0.1)->below, -0.1);
  pairs[0].label = 0;
  pairs[1].label = 1;
  pairs[2].label = 0;
  EXPECT_EQ(positives_of(pairs, std::nullopt)->is_positive,
            (std::vector<bool>{false, true, false}));
  EXPECT_FALSE(positives_of(pairs, std::nullopt)->below.has_value());
  EXPECT_EQ(positives_of(pairs, 0.0)->is_positive, (std::vector<bool>{true, true, false}));
}

struct Sample {
  std::vector<float> good, bad;
  std::vector<bool> is_positive;
  std::vector<std::int32_t> loci;
};

/// Pairs of 40 loci; low predictions of `good` are positive more often.
Sample sample() {
  RandomStream random(5, 3);
  Sample out;
  for (std::int32_t i = 0; i < 120; ++i) {
    const double x = random.normal();
    out.good.push_back(static_cast<float>(x));
    out.bad.push_back(static_cast<float>(random.normal()));
    out.is_positive.push_back(x + 0.5 * random.normal() < -0.7);
    out.loci.push_back(static_cast<std::int32_t>(random.below(40)));
  }
  return out;
}

/// AUPRC of the first prediction minus that of the second when loci are drawn, from the definition:
/// every drawn locus brings its pairs.
Interval by_copies(const Sample& s, const std::vector<float>& first,
                   const std::vector<float>& second, const BootstrapOptions& options) {
  std::map<std::int32_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < s.loci.size(); ++i) members[s.loci[i]].push_back(i);
  std::vector<std::vector<std::size_t>> loci;
  for (const auto& [locus, pairs] : members) loci.push_back(pairs);
  return bootstrap_clusters(loci.size(), options, [&](const std::vector<std::size_t>& drawn) {
    std::vector<double> a;
    std::vector<double> b;
    std::vector<bool> positive;
    for (const std::size_t d : drawn) {
      for (const std::size_t i : loci[d]) {
        a.push_back(-first[i]);
        b.push_back(-second[i]);
        positive.push_back(s.is_positive[i]);
      }
    }
    return Ranking(a, positive).metrics().auprc - Ranking(b, positive).metrics().auprc;
  });
}

TEST(ClassificationTest, IntervalsAreThoseOfDrawnLoci) {
  const Sample s = sample();
  const BootstrapOptions options{.replicates = 200, .seed = 3};
  const RankingDraws good(s.good, s.is_positive, s.loci, options);
  const RankingDraws bad(s.bad, s.is_positive, s.loci, options);
  const Estimate difference = good.minus(bad).auprc;
  const Interval expected = by_copies(s, s.good, s.bad, options);
  EXPECT_NEAR(difference.interval.low, expected.low, 1e-12);
  EXPECT_NEAR(difference.interval.high, expected.high, 1e-12);
  EXPECT_DOUBLE_EQ(difference.value, good.score().auprc.value - bad.score().auprc.value);
  EXPECT_GT(difference.interval.low, 0.0);
  const Estimate nothing = good.minus(good).auroc;
  EXPECT_EQ(nothing.interval.low, 0.0);
  EXPECT_EQ(nothing.interval.high, 0.0);
}

TEST(ClassificationTest, LowPredictionsRankFirst) {
  const Sample s = sample();
  std::vector<BaselinePrediction> baselines(2);
  baselines[0].predictions = std::vector<float>(s.good.size(), -1.0F);
  baselines[1].predictions = s.good;
  std::vector<float> reversed = s.good;
  for (float& p : reversed) p = -p;
  const Classification c =
      classify({s.is_positive, {}}, reversed, baselines, s.loci, {.replicates = 100});
  const double share = c.prevalence.value;
  EXPECT_EQ(c.positives, std::count(s.is_positive.begin(), s.is_positive.end(), true));
  EXPECT_DOUBLE_EQ(share, static_cast<double>(c.positives) / 120.0);
  EXPECT_LT(c.prevalence.interval.low, share);
  EXPECT_GT(c.prevalence.interval.high, share);
  EXPECT_LT(c.model.auroc.value, 0.3);
  EXPECT_EQ(c.baselines[0].score.auroc.value, 0.5);
  EXPECT_DOUBLE_EQ(c.baselines[0].score.auprc.value, share);
  EXPECT_GT(c.baselines[1].score.auroc.value, 0.7);
  EXPECT_LT(c.baselines[1].difference.auroc.interval.high, 0.0);
  EXPECT_EQ(c.strongest, 1U);
}

TEST(ClassificationTest, UndefinedWithoutPositives) {
  const Sample s = sample();
  const std::vector<bool> none(s.good.size(), false);
  const Classification c = classify({none, -9.0}, s.good, {}, s.loci, {.replicates = 50});
  EXPECT_EQ(c.positives, 0);
  EXPECT_EQ(c.prevalence.value, 0.0);
  EXPECT_TRUE(std::isnan(c.model.auprc.value) && std::isnan(c.model.auprc.interval.low));
}

TEST(ByDistanceTest, EachRangeHasItsOwnNumbers) {
  std::vector<Pair> pairs;
  std::vector<std::int32_t> locus_of;
  for (std::int32_t e = 0; e < 9; ++e) {
    pairs.push_back(pair(e, 0, static_cast<float>((e * 5) % 7)));
    locus_of.push_back(e);
  }
  const auto at = [](std::int64_t bases) { return std::optional(Place{bases, 0.0, false}); };
  const Places places{at(0),      at(19999),  at(20000),   at(50000), at(99999),
                      at(100000), at(400000), at(2500000), {}};
  const std::vector<float> model{2, 1, 5, 6, 1, 3, 2, 0, 0};
  const BaselinePrediction baseline{"distance", "distance", {1, 2, 3, 4, 5, 6, 7, 8, 9}};
  const Positives positives{{true, false, false, true, true, false, false, true, true}, 0.5};
  const ScoredPairs scored(pairs, locus_of, kNaN, {.replicates = 50});
  const ByDistance found = score_by_distance(scored, places, model, baseline, &positives);
  EXPECT_EQ(found.elsewhere, 2);
  ASSERT_EQ(found.ranges.size(), 3U);
  EXPECT_EQ(found.ranges[0].pairs, 2);
  EXPECT_EQ(found.ranges[1].pairs, 3);
  EXPECT_EQ(found.ranges[2].pairs, 2);
  EXPECT_EQ(found.ranges[1].positives, 2);
  const std::vector<float> effects{pairs[2].beta, pairs[3].beta, pairs[4].beta};
  EXPECT_EQ(found.ranges[1].model.pearson.value,
            compute_metrics(std::vector<float>{5, 6, 1}, effects).pearson);
  EXPECT_EQ(found.ranges[1].baseline.pearson.value,
            compute_metrics(std::vector<float>{3, 4, 5}, effects).pearson);
  // By descending score: positive (1), not (5), positive (6).
  EXPECT_DOUBLE_EQ(found.ranges[1].model.auprc.value, (1.0 + 2.0 / 3.0) / 2.0);
  EXPECT_TRUE(std::isnan(found.ranges[2].model.auprc.value));  // no positives
  const ByDistance unlabelled = score_by_distance(scored, places, model, baseline, nullptr);
  EXPECT_FALSE(unlabelled.ranges[1].positives.has_value());
  EXPECT_TRUE(std::isnan(unlabelled.ranges[1].model.auprc.value));
}

}  // namespace
}  // namespace cdt

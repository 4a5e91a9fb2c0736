// Scores over folds against a plain computation, with the same draws for every kind of prediction.
#include "model/stats/fold_scores.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "engine/random.h"
#include "model/stats/ranking.h"

namespace cdt {
namespace {

constexpr std::int32_t kFolds = 3;

/// 90 pairs in 30 clusters, cluster i in fold i % 3; a third of the pairs are positive.
FoldedTargets targets() {
  FoldedTargets out;
  RandomStream random(3, 1);
  for (std::int32_t i = 0; i < 90; ++i) {
    out.target.push_back(static_cast<float>(random.normal()));
    out.positive.push_back(out.target.back() < -0.4F);
    out.cluster.push_back(i / 3);
    out.fold.push_back(i / 3 % kFolds);
  }
  return out;
}

/// The target plus noise, with another offset in each fold, which r within a fold must not see.
std::vector<float> noisy(const FoldedTargets& t, double noise, std::uint64_t seed) {
  RandomStream random(seed, 2);
  std::vector<float> out;
  for (std::size_t i = 0; i < t.target.size(); ++i) {
    out.push_back(t.target[i] + static_cast<float>(noise * random.normal() + 10.0 * t.fold[i]));
  }
  return out;
}

double pearson_in(const FoldedTargets& t, const std::vector<float>& x, std::int32_t fold) {
  std::vector<float> a, b;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (t.fold[i] != fold) continue;
    a.push_back(x[i]);
    b.push_back(t.target[i]);
  }
  return compute_metrics(a, b).pearson;
}

double auprc_in(const FoldedTargets& t, const std::vector<float>& x, std::int32_t fold) {
  std::vector<double> scores;
  std::vector<bool> positive;
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (t.fold[i] != fold) continue;
    scores.push_back(-x[i]);
    positive.push_back(t.positive[i]);
  }
  return Ranking(scores, positive).metrics().auprc;
}

TEST(FoldScores, AreMeansOverFoldsAndMembers) {
  const FoldedTargets t = targets();
  const Members two{noisy(t, 1, 5), noisy(t, 2, 6)};
  const FoldScore score = score_over_folds(t, {two}, 0, {.replicates = 10}).front();
  double r = 0;
  double precision = 0;
  for (std::int32_t fold = 0; fold < kFolds; ++fold) {
    const double first = pearson_in(t, two[0], fold), second = pearson_in(t, two[1], fold);
    EXPECT_NEAR(score.pearson_of_fold[static_cast<std::size_t>(fold)], (first + second) / 2, 1e-9);
    r += (first + second) / 2 / kFolds;
    precision += (auprc_in(t, two[0], fold) + auprc_in(t, two[1], fold)) / 2 / kFolds;
  }
  EXPECT_NEAR(score.pearson.value, r, 1e-9);
  EXPECT_NEAR(score.auprc.value, precision, 1e-12);
  ASSERT_EQ(score.pearson_of_member.size(), 2U);
  EXPECT_GT(score.pearson_of_member[0], score.pearson_of_member[1]);
  EXPECT_NEAR((score.pearson_of_member[0] + score.pearson_of_member[1]) / 2, r, 1e-9);
}

TEST(FoldScores, TheIntervalIsThatOfAPlainBootstrap) {
  const FoldedTargets t = targets();
  const std::vector<float> x = noisy(t, 1, 5);
  const BootstrapOptions options{.replicates = 200, .seed = 4};
  const FoldScore score = score_over_folds(t, {{x}}, 0, options).front();
  std::vector<double> values;
  for_each_resample(t.cluster, options, [&](std::span<const double> times) {
    double sum = 0;
    for (std::int32_t fold = 0; fold < kFolds; ++fold) {
      std::vector<float> a, b;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const auto count = static_cast<std::size_t>(t.fold[i] == fold ? times[i] : 0);
        a.insert(a.end(), count, x[i]);
        b.insert(b.end(), count, t.target[i]);
      }
      sum += compute_metrics(a, b).pearson;
    }
    values.push_back(sum / kFolds);
  });
  const Interval plain = percentile_interval(values, options.level);
  EXPECT_NEAR(score.pearson.interval.low, plain.low, 1e-9);
  EXPECT_NEAR(score.pearson.interval.high, plain.high, 1e-9);
  EXPECT_LT(plain.low, score.pearson.value);
  EXPECT_GT(plain.high, score.pearson.value);
}

TEST(FoldScores, GainsUseTheSameDraws) {
  const FoldedTargets t = targets();
  const Members better{noisy(t, 0.5, 5)}, worse{noisy(t, 3, 6)};
  const auto scores = score_over_folds(t, {better, worse, better}, 0, {.replicates = 300});
  EXPECT_TRUE(std::isnan(scores[0].pearson_gain.value)) << "the reference has none";
  EXPECT_NEAR(scores[1].pearson_gain.value, scores[0].pearson.value - scores[1].pearson.value,
              1e-12);
  EXPECT_GT(scores[1].pearson_gain.interval.low, 0);
  EXPECT_EQ(scores[2].pearson_gain.interval.low, 0) << "equal predictions differ in no draw";
  EXPECT_EQ(scores[2].pearson_gain.interval.high, 0);
  EXPECT_EQ(scores[2].auprc_gain.interval.high, 0);
}

TEST(FoldScores, AConstantPredictionExplainsNothing) {
  const FoldedTargets t = targets();
  const Members constant{std::vector<float>(t.target.size(), 0.25F)};
  const auto scores = score_over_folds(t, {{noisy(t, 1, 5)}, constant}, 0, {.replicates = 50});
  EXPECT_EQ(scores[1].pearson.value, 0);
  EXPECT_EQ(scores[1].pearson.interval.high, 0);
  EXPECT_NEAR(scores[1].auprc.value, 1.0 / 3, 0.1) << "the share of positives";
}

TEST(FoldScores, AFoldOfEqualTargetsHasNoPearson) {
  FoldedTargets t = targets();
  for (std::size_t i = 0; i < t.target.size(); ++i) {
    if (t.fold[i] == 1) t.target[i] = 0.5F;
  }
  const std::vector<float> x = noisy(t, 1.0, 7);
  const FoldScore score = score_over_folds(t, {{x}, {noisy(t, 2.0, 8)}}, 0, {}).back();
  EXPECT_TRUE(std::isnan(score.pearson_of_fold[1]));
  EXPECT_FALSE(std::isnan(score.pearson_of_fold[0]));
  EXPECT_TRUE(std::isnan(score.pearson.value));
  EXPECT_TRUE(std::isnan(score.pearson.interval.low));
  EXPECT_TRUE(std::isnan(score.pearson_gain.value));
}

TEST(FoldScores, WithoutPositivesThereIsNoPrecision) {
  FoldedTargets t = targets();
  t.positive.clear();
  const FoldScore score = score_over_folds(t, {{noisy(t, 1, 5)}}, 0, {.replicates = 50}).front();
  EXPECT_TRUE(std::isnan(score.auprc.value));
  EXPECT_TRUE(std::isnan(score.auprc.interval.low));
  EXPECT_FALSE(std::isnan(score.pearson.interval.low));
}

}  // namespace
}  // namespace cdt

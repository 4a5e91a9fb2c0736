#include "model/stats/ranking.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/random.h"

namespace cdt {
namespace {

const std::vector<double> kScores{9, 7, 7, 5, 3, 1};
const std::vector<bool> kPositive{true, false, true, false, true, false};

// Thresholds 9, 7, 5, 3: precision 1/1, 2/3, 2/4, 3/5; recall 1/3, 2/3, 2/3, 1.
TEST(RankingTest, TiedScoresEnterTogether) {
  const RankingMetrics m = Ranking(kScores, kPositive).metrics();
  EXPECT_DOUBLE_EQ(m.auprc, (1.0 + 2.0 / 3.0 + 0.0 + 3.0 / 5.0) / 3.0);
  EXPECT_DOUBLE_EQ(m.auroc, (3.0 + 2.5 + 1.0) / 9.0);
  EXPECT_DOUBLE_EQ(m.precision_at_recall, 3.0 / 5.0);
}

TEST(RankingTest, OrderOfItemsDoesNotCount) {
  const Ranking one(std::vector<double>{2, 2, 1}, {true, false, false});
  const Ranking other(std::vector<double>{1, 2, 2}, {false, false, true});
  EXPECT_EQ(one.metrics().auprc, 0.5);
  EXPECT_EQ(other.metrics().auprc, 0.5);
}

// 7 of 10 positives are a recall of 0.7, which counts: precision 7/8 there and 10/12 at the end.
TEST(RankingTest, RecallIsReachedExactly) {
  std::vector<double> scores;
  std::vector<bool> positive;
  for (int i = 0; i < 12; ++i) {
    scores.push_back(-i);
    positive.push_back(i != 2 && i != 8);
  }
  EXPECT_DOUBLE_EQ(Ranking(scores, positive).metrics().precision_at_recall, 7.0 / 8.0);
}

TEST(RankingTest, ConstantScoresReachThePrevalence) {
  const RankingMetrics m =
      Ranking(std::vector<double>(4, 1.5), {true, false, false, false}).metrics();
  EXPECT_EQ(m.auprc, 0.25);
  EXPECT_EQ(m.auroc, 0.5);
  EXPECT_EQ(m.precision_at_recall, 0.25);
}

TEST(RankingTest, PerfectAndReversedOrder) {
  const std::vector<bool> positive{true, true, false, false, false};
  const RankingMetrics best = Ranking(std::vector<double>{5, 4, 3, 2, 1}, positive).metrics();
  EXPECT_EQ(best.auprc, 1.0);
  EXPECT_EQ(best.auroc, 1.0);
  EXPECT_EQ(best.precision_at_recall, 1.0);
  const RankingMetrics worst = Ranking(std::vector<double>{1, 2, 3, 4, 5}, positive).metrics();
  EXPECT_DOUBLE_EQ(worst.auprc, (1.0 / 4.0 + 2.0 / 5.0) / 2.0);
  EXPECT_EQ(worst.auroc, 0.0);
  EXPECT_DOUBLE_EQ(worst.precision_at_recall, 2.0 / 5.0);
}

TEST(RankingTest, UndefinedWithoutPositivesOrNegatives) {
  const RankingMetrics none = Ranking(std::vector<double>{1, 2}, {false, false}).metrics();
  EXPECT_TRUE(std::isnan(none.auprc) && std::isnan(none.auroc));
  EXPECT_TRUE(std::isnan(none.precision_at_recall));
  const RankingMetrics only = Ranking(std::vector<double>{1, 2}, {true, true}).metrics();
  EXPECT_EQ(only.auprc, 1.0);
  EXPECT_TRUE(std::isnan(only.auroc));
  EXPECT_TRUE(std::isnan(Ranking({}, {}).metrics().auprc));
  // Positives that were not drawn do not exist.
  const std::vector<double> times{0, 3};
  EXPECT_TRUE(std::isnan(Ranking(std::vector<double>{1, 2}, {true, false}).metrics(times).auprc));
}

/// The same numbers from their definitions: by counting at every positive and over all couples.
RankingMetrics by_counting(const std::vector<double>& scores, const std::vector<bool>& positive) {
  RankingMetrics out;
  double positives = 0;
  double negatives = 0;
  double threshold = -1;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!positive[i]) {
      ++negatives;
      continue;
    }
    ++positives;
    double above = 0;
    double positive_above = 0;
    for (std::size_t j = 0; j < scores.size(); ++j) {
      if (scores[j] >= scores[i]) {
        ++above;
        positive_above += positive[j] ? 1 : 0;
      }
      if (!positive[j]) out.auroc += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
    out.auprc += positive_above / above;
    const double all = static_cast<double>(std::count(positive.begin(), positive.end(), true));
    if (positive_above / all >= 0.7 && scores[i] > threshold) {
      threshold = scores[i];
      out.precision_at_recall = positive_above / above;
    }
  }
  out.auprc /= positives;
  out.auroc /= positives * negatives;
  return out;
}

TEST(RankingTest, AgainstCountingWithAnyMultiplicities) {
  RandomStream random(7, 1);
  for (int round = 0; round < 200; ++round) {
    const std::size_t count = 2 + random.below(40);
    const std::uint64_t values = 1 + random.below(12);  // few distinct scores, so many ties
    std::vector<double> scores{0.0, 0.0}, times{1.0, 2.0}, all;
    std::vector<bool> positive{true, false}, all_positive;
    for (std::size_t i = 0; i < count; ++i) {
      scores.push_back(static_cast<double>(random.below(values)));
      positive.push_back(random.below(4) == 0);
      times.push_back(static_cast<double>(random.below(4)));
    }
    for (std::size_t i = 0; i < scores.size(); ++i) {
      all.insert(all.end(), static_cast<std::size_t>(times[i]), scores[i]);
      all_positive.insert(all_positive.end(), static_cast<std::size_t>(times[i]), positive[i]);
    }
    const RankingMetrics expected = by_counting(all, all_positive);
    const RankingMetrics found = Ranking(scores, positive).metrics(times);
    EXPECT_NEAR(found.auprc, expected.auprc, 1e-14);
    EXPECT_NEAR(found.auroc, expected.auroc, 1e-14);
    EXPECT_EQ(found.precision_at_recall, expected.precision_at_recall);
    EXPECT_EQ(Ranking(all, all_positive).metrics().auprc, found.auprc);
  }
}

// Expected value: SciPy 1.17.1, mannwhitneyu(positives, negatives).statistic / 35 = 28.5 / 35.
TEST(RankingTest, AurocAgainstMannWhitney) {
  const std::vector<double> positives{0.9, 0.8, 0.35, 0.6, 0.6};
  const std::vector<double> negatives{0.7, 0.1, 0.35, 0.2, 0.6, 0.05, 0.4};
  EXPECT_DOUBLE_EQ(auroc(positives, negatives), 28.5 / 35.0);
  EXPECT_DOUBLE_EQ(auroc(negatives, positives), 1.0 - 28.5 / 35.0);
  EXPECT_DOUBLE_EQ(auroc(std::vector<double>{1, 1}, std::vector<double>{1, 1, 1}), 0.5);
  EXPECT_TRUE(std::isnan(auroc({}, negatives)));
  EXPECT_TRUE(std::isnan(auroc(positives, {})));
}

TEST(RankingTest, PrecisionSharesTies) {
  const std::vector<double> scores{5, 3, 3, 3, 1};
  const std::vector<bool> positive{false, true, true, false, true};
  EXPECT_DOUBLE_EQ(precision_at(1, scores, positive), 0.0);
  EXPECT_DOUBLE_EQ(precision_at(2, scores, positive), (2.0 / 3.0) / 2.0);
  EXPECT_DOUBLE_EQ(precision_at(4, scores, positive), 2.0 / 4.0);
  EXPECT_DOUBLE_EQ(precision_at(5, scores, positive), 3.0 / 5.0);
}

}  // namespace
}  // namespace cdt

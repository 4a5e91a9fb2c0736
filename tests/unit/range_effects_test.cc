// Scores that say nothing about the effects of occlusion do not correlate with them.
#include "model/stats/range_effects.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "model/stats/statistics.h"

namespace cdt {
namespace {

using Floats = std::vector<float>;
using Doubles = std::vector<double>;

TEST(RangeEffectsTest, SumsScoresOverWholeRanges) {
  const Floats scores{1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 200};
  const Floats effects{.5, .5, .5, -2, -2, -2, 3, 3, 3, 1, 1};
  const RangeEffects ranges = range_effects(scores, effects, 3);
  EXPECT_EQ(ranges.scores, (Doubles{6, 15, 24}));
  EXPECT_EQ(ranges.effects, (Doubles{.5, -2, 3}));
  EXPECT_EQ(range_effects(scores, effects, 1).scores.size(), 11U);
}

TEST(RangeEffectsTest, TwoRangesHaveNoCorrelation) {
  const Floats scores{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13};
  EXPECT_EQ(range_effects(scores, scores, 4).scores.size(), 3U);
  for (const std::int64_t width : {5, 6, 12, 13, 14}) {
    const RangeEffects ranges = range_effects(scores, scores, width);
    EXPECT_TRUE(ranges.scores.empty() && ranges.effects.empty()) << width;
  }
  EXPECT_EQ(whole_ranges(13, 4), 3);
  EXPECT_EQ(whole_ranges(13, 14), 0);
  EXPECT_EQ(whole_ranges(12, 4), 3);
}

TEST(RangeEffectsTest, WindowsThatDifferOnlyInTheShorterRangeAreUndefined) {
  const Floats scores{1, 2, 3, 4, 5, 6, 7};
  const Floats equal{1, 1, 1, -1, -1, -1, 9};
  EXPECT_TRUE(range_effects(scores, equal, 2).scores.empty());
  EXPECT_TRUE(range_effects(equal, scores, 2).scores.empty());
  EXPECT_EQ(range_effects(scores, equal, 1).scores.size(), 7U);
}

struct Correlations {
  double pearson = 0, spearman = 0;
};

Correlations correlations(const Doubles& scores, const Doubles& effects) {
  return {pearson(scores, effects), pearson(average_ranks(scores), average_ranks(effects))};
}

/// Means over windows whose scores are independent of the effects.
struct IndependentMeans {
  Correlations whole, all;  // over the whole ranges, and over all ranges
};

/// Each bin moves the prediction by a random amount, and its score is the size of another one.
IndependentMeans independent_means(std::size_t bins, std::size_t width, int windows) {
  std::mt19937_64 random(5);
  std::normal_distribution<float> normal;
  IndependentMeans out;
  const auto add = [&](Correlations* mean, const Correlations& r) {
    mean->pearson += r.pearson / windows;
    mean->spearman += r.spearman / windows;
  };
  for (int window = 0; window < windows; ++window) {
    Floats scores(bins), effects(bins);
    for (float& score : scores) score = std::fabs(normal(random));
    Doubles sums, sizes;
    for (std::size_t begin = 0; begin < bins; begin += width) {
      const std::size_t end = std::min(begin + width, bins);
      float effect = 0;
      double sum = 0;
      for (std::size_t bin = begin; bin < end; ++bin) effect += normal(random), sum += scores[bin];
      for (std::size_t bin = begin; bin < end; ++bin) effects[bin] = std::fabs(effect);
      sums.push_back(sum);
      sizes.push_back(std::fabs(effect));
    }
    const RangeEffects whole = range_effects(scores, effects, static_cast<std::int64_t>(width));
    add(&out.whole, correlations(whole.scores, whole.effects));
    add(&out.all, correlations(sums, sizes));
  }
  return out;
}

// Of 4000 windows with three ranges, the mean r has a standard error of 0.011.
TEST(RangeEffectsTest, IndependentScoresDoNotCorrelateWithEffects) {
  constexpr double kBound = 0.045;
  for (const std::size_t bins : {12U, 13U, 14U, 17U}) {
    SCOPED_TRACE(bins);
    const IndependentMeans means = independent_means(bins, 4, 4000);
    EXPECT_LT(std::fabs(means.whole.pearson), kBound);
    EXPECT_LT(std::fabs(means.whole.spearman), kBound);
    if (bins % 4 == 0) continue;
    EXPECT_GT(means.all.pearson, 2 * kBound) << "the shorter range makes them correlate";
    EXPECT_GT(means.all.spearman, 2 * kBound);
  }
}

}  // namespace
}  // namespace cdt

// Controls of an evaluation: their forward passes, their scores, and loci.
#include "apps/evaluation/controls.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "apps/evaluation/evaluation.h"
#include "engine/error.h"
#include "io/dataset/loci.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

TEST(LociTest, OverlappingWindowsShareOne) {
  // Windows have 4 bins of 100 bp.
  const std::vector<Enhancer> enhancers{
      {"chr1", 1000, 1100, "a"},  // centre 1050
      {"chr2", 1000, 1100, "b"},  //
      {"chr1", 1700, 1800, "c"},  // 1750, connected to a through d
      {"chr1", 1399, 1499, "d"},  // 1449
      {"chr1", 2100, 2200, "e"},  // 2150, adjacent to c without a shared base
      {"chr2", 1000, 1100, "f"}};
  EXPECT_EQ(loci_of(enhancers, 4, 100), (std::vector<std::int32_t>{0, 2, 0, 0, 1, 2}));
  EXPECT_TRUE(loci_of({}, 4, 100).empty());
}

/// Predictions 10 * enhancer + gene, for enhancers 2, 3, 5 and 7; gene + 0.5 from the mean window.
ControlPasses passes() {
  const PredictionTable empty({{0, 2}, {0, 3}, {0, 5}, {0, 7}}, 3);
  ControlPasses out{empty, empty, empty, {}};
  for (std::size_t row = 0; row < 4; ++row) {
    for (std::int64_t gene = 0; gene < 3; ++gene) {
      out.mean_dna.row(row)[gene] = static_cast<float>(gene) + 0.5F;
      out.real.row(row)[gene] =
          static_cast<float>(std::int64_t{10} * out.real.contexts()[row].enhancer + gene);
      out.shuffled_genes.row(row)[gene] = out.real.row(row)[gene] + 1.0F;
    }
  }
  return out;
}

const std::vector<Pair> kPairs{{Split::kVal, 3, 0, 1.0F, -1},
                               {Split::kVal, 7, 2, 2.0F, -1},
                               {Split::kVal, 3, 1, -1.0F, -1},
                               {Split::kVal, 2, 2, 0.5F, -1},
                               {Split::kVal, 5, 1, 3.0F, -1}};

TEST(ControlPredictionsTest, DnaOfAnotherAndTheSameGene) {
  const ControlPasses p = passes();
  EXPECT_EQ(p.real.of(kPairs), (std::vector<float>{30, 72, 31, 22, 51}));
  const ControlPredictions c = control_predictions(p, kPairs, 6, 1);
  EXPECT_EQ(c.mean_dna, (std::vector<float>{0.5F, 2.5F, 1.5F, 2.5F, 1.5F}));
  EXPECT_EQ(c.shuffled_genes, (std::vector<float>{31, 73, 32, 23, 52}));
  ASSERT_EQ(c.shuffled_dna.size(), 6U);
  for (const std::vector<float>& draw : c.shuffled_dna) {
    std::set<int> donors_seen;
    for (std::size_t i = 0; i < kPairs.size(); ++i) {
      const auto value = static_cast<int>(draw[i]);
      EXPECT_EQ(value % 10, kPairs[i].gene);
      EXPECT_NE(value / 10, kPairs[i].enhancer);
      donors_seen.insert(value / 10);
    }
    EXPECT_EQ(draw[0] + 1.0F, draw[2]);  // pairs of one enhancer stay together
    EXPECT_EQ(donors_seen.size(), 4U);   // a permutation
  }
  EXPECT_TRUE(std::any_of(c.shuffled_dna.begin(), c.shuffled_dna.end(),
                          [&](const auto& draw) { return draw != c.shuffled_dna.front(); }));
}

TEST(ControlPredictionsTest, DonorsAreThePairsOwnEnhancers) {
  const std::vector<Pair> some{{Split::kVal, 3, 0, 1.0F, -1}, {Split::kVal, 7, 2, 2.0F, -1}};
  for (const std::vector<float>& draw : control_predictions(passes(), some, 5, 2).shuffled_dna) {
    EXPECT_EQ(draw, (std::vector<float>{70, 32}));
  }
  ControlPasses broken = passes();
  broken.real.row(3)[0] = std::nanf("");  // enhancer 7, gene 0: only a control uses it
  EXPECT_THROW(control_predictions(broken, some, 1, 2), Error);
}

TEST(ControlPredictionsTest, OneEnhancerCannotBeShuffled) {
  const PredictionTable table({{0, 4}}, 2);
  const ControlPredictions c =
      control_predictions({table, table, table, {}}, {{Split::kVal, 4, 1, 0.0F, -1}}, 5, 0);
  EXPECT_TRUE(c.shuffled_dna.empty());
}

// With gene positions, a draw is a pass of its own: the pairs keep their place.
TEST(ControlPredictionsTest, DrawsThatWerePredictedAreTakenAsTheyAre) {
  ControlPasses p = passes();
  p.placed = {p.mean_dna, p.shuffled_genes};
  const ControlPredictions c = control_predictions(p, kPairs, 6, 1);
  ASSERT_EQ(c.shuffled_dna.size(), 2U);
  EXPECT_EQ(c.shuffled_dna[0], c.mean_dna);
  EXPECT_EQ(c.shuffled_dna[1], c.shuffled_genes);
}

TEST(ControlsTest, DifferencesAreAgainstTheMeanOfTheDraws) {
  const std::vector<float> real{1.0F, 2.0F, -1.0F, 0.4F, 2.5F};
  const ControlPredictions c{{{1, 0, 2, 3, 1}, {4, 1, 0, 1, 2}}, {1, 1, 1, 1, 1}, real};
  const std::vector<std::int32_t> loci{0, 1, 0, 2, 3};
  const Controls out = score_controls({kPairs, real, loci}, c, {.replicates = 300});
  EXPECT_EQ(out.pairs, 5);
  EXPECT_EQ(out.loci.number, 4);
  const std::vector<float> target{1.0F, 2.0F, -1.0F, 0.5F, 3.0F};
  const Metrics first = compute_metrics(c.shuffled_dna[0], target);
  const Metrics second = compute_metrics(c.shuffled_dna[1], target);
  const double r = compute_metrics(real, target).pearson;
  EXPECT_EQ(out.pearson.value, r);
  ASSERT_TRUE(out.shuffled_dna.has_value());
  EXPECT_DOUBLE_EQ(out.shuffled_dna->pearson, 0.5 * (first.pearson + second.pearson));
  EXPECT_DOUBLE_EQ(out.shuffled_dna->r2, 0.5 * (first.r2 + second.r2));
  EXPECT_NEAR(out.shuffled_dna->pearson_sd,
              std::fabs(first.pearson - second.pearson) / std::sqrt(2.0), 1e-14);
  EXPECT_DOUBLE_EQ(out.shuffled_dna->difference.value, r - out.shuffled_dna->pearson);
  // A constant explains nothing: all of r is lost.
  EXPECT_TRUE(std::isnan(out.mean_dna.pearson));
  EXPECT_EQ(out.mean_dna.difference.value, r);
  EXPECT_TRUE(std::isnan(out.mean_dna.pearson_sd));
  // Identical predictions lose nothing, in any draw.
  EXPECT_EQ(out.shuffled_genes.difference.value, 0.0);
  EXPECT_EQ(out.shuffled_genes.difference.interval.low, 0.0);
  EXPECT_EQ(out.shuffled_genes.difference.interval.high, 0.0);
  EXPECT_EQ(out.change_by_genes, 0.0);
  // Half the mean square change over the variance: draws are 0, 2, 3, 2.6, 1.5 and 3, 1, 1, 0.6,
  // 0.5 away, and the variance times 5 is 7.608.
  EXPECT_NEAR(out.variance_by_dna, 0.25 * (22.01 + 11.61) / 7.608, 1e-6);
}

}  // namespace
}  // namespace cdt

#include "apps/evaluation/baselines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "engine/random.h"
#include "model/stats/statistics.h"
#include "tests/support/evaluated.h"

namespace cdt {
namespace {

using test::kTrain;
using test::kVal;
using test::pair;

std::vector<float> named(const std::vector<BaselinePrediction>& baselines,
                         const std::string& name) {
  const auto at = std::find_if(baselines.begin(), baselines.end(),
                               [&](const BaselinePrediction& b) { return b.name == name; });
  EXPECT_NE(at, baselines.end()) << name;
  return at == baselines.end() ? std::vector<float>() : at->predictions;
}

TEST(BaselinesTest, MeansAndMediansOfTheTrainingPairs) {
  std::vector<Pair> train = kTrain;
  train.push_back(pair(4, 0, -1.25F));
  const std::vector<BaselinePrediction> b = gene_baselines(train, kVal);
  const float global = -4.75F / 4.0F;
  EXPECT_EQ(named(b, "global_mean"), std::vector<float>(4, global));
  EXPECT_EQ(named(b, "gene_mean"), (std::vector<float>{-1.75F, 0.5F, global, -1.75F}));
  EXPECT_EQ(named(b, "gene_median"), (std::vector<float>{-1.25F, 0.5F, -1.125F, -1.25F}));
}

TEST(BaselinesTest, ShrunkMeansOfPairsAndOfGenesAreTheSame) {
  const std::vector<Pair> train{pair(0, 0, 1.0F), pair(1, 0, 3.0F), pair(0, 1, 8.0F),
                                pair(2, 3, 4.0F), pair(3, 3, 5.0F), pair(4, 3, 6.0F)};
  const std::vector<float> of_gene = shrunk_gene_means(train, 5);
  ASSERT_EQ(of_gene.size(), 5U);
  EXPECT_EQ(of_gene[2], of_gene[4]);  // genes without pairs get the centre
  EXPECT_GT(of_gene[0], 2.0F);        // shrunk towards it
  EXPECT_LT(of_gene[1], 8.0F);
  const std::vector<Pair> pairs{pair(7, 3, 0.0F), pair(8, 2, 0.0F)};
  EXPECT_EQ(named(gene_baselines(train, pairs), "shrunk_gene_mean"),
            (std::vector<float>{of_gene[3], of_gene[2]}));
}

struct Noise {
  bool heavy;
  float operator()(RandomStream& random) const {
    const double z = random.normal();
    if (!heavy) return static_cast<float>(z);
    const double a = random.normal();  // Student's t with two degrees of freedom
    const double b = random.normal();
    return static_cast<float>(z / std::sqrt((a * a + b * b) / 2));
  }
};

/// Correlation of each baseline with the true gene effects, summed over several worlds; a constant
/// baseline counts as 0.
std::vector<double> correlations(const Noise& noise, const std::vector<std::string>& names) {
  std::vector<double> out(names.size());
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    RandomStream random(seed, 3);
    std::vector<Pair> train;
    std::vector<Pair> truth;
    for (std::int32_t gene = 0; gene < 300; ++gene) {
      const auto effect = static_cast<float>(0.5 * random.normal());
      for (std::int32_t i = 0; i <= gene % 5; ++i) {
        train.push_back(pair(i, gene, effect + noise(random)));
      }
      truth.push_back(pair(9, gene, effect));
    }
    std::vector<float> effects;
    for (const Pair& p : truth) effects.push_back(p.beta);
    const std::vector<BaselinePrediction> baselines = gene_baselines(train, truth);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const double r = compute_metrics(named(baselines, names[i]), effects).pearson;
      out[i] += std::isnan(r) ? 0.0 : r;
    }
  }
  return out;
}

TEST(BaselinesTest, ClippingIsForHeavyTails) {
  const std::vector<std::string> names{"gene_mean", "shrunk_gene_mean", "clipped_gene_mean"};
  const std::vector<double> heavy = correlations({.heavy = true}, names);
  EXPECT_GT(heavy[2], 1.2 * heavy[0]);
  EXPECT_GT(heavy[2], 1.2 * heavy[1]);
  const std::vector<double> normal = correlations({.heavy = false}, names);
  EXPECT_GT(normal[1], normal[0]);
  EXPECT_GT(normal[2], 0.98 * normal[1]);
}

TEST(BaselinesTest, OneTrainingPair) {
  for (const BaselinePrediction& b : gene_baselines({pair(0, 1, 0.5F)}, kVal)) {
    EXPECT_EQ(b.predictions, std::vector<float>(4, 0.5F)) << b.name;
    EXPECT_FALSE(b.label.empty());
  }
}

TEST(BaselinesTest, OneWithoutAnRIsStrongerThanANegativeOne) {
  const double none = std::nan("");
  EXPECT_EQ(strongest_of(std::vector<double>{none, -0.5, -0.1}), 0U);
  EXPECT_EQ(strongest_of(std::vector<double>{none, -0.5, 0.1, 0.05}), 2U);
  EXPECT_EQ(strongest_of(std::vector<double>{none}), 0U);
}

}  // namespace
}  // namespace cdt

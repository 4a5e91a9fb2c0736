// Identities that the gradient methods satisfy; tests/parity/ compares them with PyTorch.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <vector>

#include "apps/attribute/gradient_l1.h"
#include "model/explain/averaged_gradients.h"
#include "model/explain/gradient_pass.h"
#include "model/explain/occlusion.h"
#include "model/explain/path_split.h"
#include "tests/support/precision.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

using test::kBins;
using test::kModelGradient;
using test::kModelValue;
using test::small_config;
using test::SmallModel;
using test::tolerance;

double largest(const std::vector<float>& v) {
  double most = 0.0;
  for (const float x : v) most = std::max(most, std::fabs(static_cast<double>(x)));
  return most;
}

std::vector<std::int32_t> all_genes(const SmallModel& m) {
  std::vector<std::int32_t> genes(static_cast<std::size_t>(m.config.genes));
  std::iota(genes.begin(), genes.end(), 0);
  return genes;
}

// More genes than the last layer has inputs: a basis of backward passes against one pass per gene.
TEST(ManyGenesTest, EqualOnePassForEach) {
  for (const Variant variant : {Variant::kReleased, Variant::kPaper}) {
    for (const std::int64_t dna_dim : {std::int64_t{29}, std::int64_t{9}}) {
      CdtConfig config = small_config(variant, dna_dim, 2);
      config.genes = 20;
      ASSERT_GT(config.genes, config.hidden);
      SmallModel m(config);
      const std::vector<PairWindows> together = m.attribute(all_genes(m));
      ASSERT_EQ(together.size(), 20U);
      const double bound = tolerance(1e-4, kModelGradient);
      for (const std::int32_t gene : {0, 7, 19}) {
        const PairWindows alone = m.attribute({gene}).front();
        const PairWindows& one = together[static_cast<std::size_t>(gene)];
        EXPECT_EQ(one.prediction, alone.prediction);
        EXPECT_EQ(one.attention, alone.attention);
        for (std::size_t bin = 0; bin < one.gradient.size(); ++bin) {
          EXPECT_NEAR(one.gradient[bin], alone.gradient[bin], bound * largest(alone.gradient));
          EXPECT_NEAR(one.gradient_x_input[bin], alone.gradient_x_input[bin],
                      bound * largest(alone.gradient_x_input));
        }
      }
    }
  }
}

// Nine genes are two passes over the tape, with eight cotangents and with one.
TEST(GradientPassTest, BitsDoNotDependOnTheOtherGenes) {
  CdtConfig config = small_config(Variant::kReleased, 29, 2);
  config.genes = 9;
  SmallModel m(config);
  const std::vector<PairWindows> together = m.attribute(all_genes(m));
  for (const std::int32_t gene : {0, 3, 7, 8}) {
    const PairWindows alone = m.attribute({gene}).front();
    EXPECT_EQ(together[static_cast<std::size_t>(gene)].gradient, alone.gradient) << gene;
    EXPECT_EQ(together[static_cast<std::size_t>(gene)].gradient_x_input, alone.gradient_x_input);
  }
}

TEST(QuadratureTest, KnownNodesAndExactPolynomials) {
  const Quadrature two = gauss_legendre(2);
  EXPECT_NEAR(two.nodes[0], 0.5 - 0.5 / std::sqrt(3.0), 1e-15);
  EXPECT_NEAR(two.nodes[1], 0.5 + 0.5 / std::sqrt(3.0), 1e-15);
  for (const int n : {1, 5, 32, 512}) {
    const Quadrature q = gauss_legendre(n);
    for (const int power : {0, 1, 2 * n - 1}) {
      double sum = 0.0;
      for (std::size_t i = 0; i < q.nodes.size(); ++i) {
        sum += q.weights[i] * std::pow(q.nodes[i], power);
      }
      EXPECT_NEAR(sum, 1.0 / (power + 1.0), 1e-13) << n << " points, power " << power;
    }
  }
}

class MethodsTest : public testing::Test {
 protected:
  MethodsTest() { explainer.emplace(m.model, m.tape, m.rna, m.protein, m.lasting); }
  std::vector<float> predictions_at(const std::vector<float>& z) {
    return GradientPass(*explainer, z).predictions();
  }

  SmallModel m{small_config(Variant::kReleased, 29, 2)};
  std::optional<Explainer> explainer;
};

TEST_F(MethodsTest, IntegrationDoublesItsStepsUntilComplete) {
  const std::vector<float> z = explainer->project(m.dna);
  const std::vector<float> zero = explainer->zero_projection(kBins);
  const auto run = [&](const IntegrationGate& gate) {
    return integrated_gradients(*explainer, z, zero, {1, 4}, gate);
  };
  for (const IntegratedGradients& g :
       run({.relative = 1e-3, .first_steps = 1, .most_steps = 512})) {
    EXPECT_GT(g.steps, 1);
    EXPECT_TRUE(g.complete);
    EXPECT_LE(g.completeness_error, 1e-3);
    const double sum = std::accumulate(g.scores.begin(), g.scores.end(), 0.0);
    EXPECT_NEAR(sum, g.change, 1e-3 * std::fabs(g.change) + 1e-6);
  }
  // A single quadrature point is not enough, and the result says so.
  for (const IntegratedGradients& g : run({.relative = 1e-3, .first_steps = 1, .most_steps = 1})) {
    EXPECT_EQ(g.steps, 1);
    EXPECT_FALSE(g.complete);
    EXPECT_GT(g.completeness_error, 1e-3);
  }
}

// If predictions are too coarse, no number of steps helps: float32 resolves 16 units in the last
// place of both predictions, tf32 and bfloat16 2.
TEST_F(MethodsTest, IntegrationIsCompleteToTheResolutionOfPredictions) {
  const std::vector<float> z = explainer->project(m.dna);
  const std::vector<float> zero = explainer->zero_projection(kBins);
  const double at_zero = predictions_at(zero)[1];
  const auto run = [&](int steps) {
    return integrated_gradients(*explainer, z, zero, {1},
                                {.relative = 0.0, .first_steps = steps, .most_steps = steps})
        .front();
  };
  const bool wide = test::float32_accuracy();
  const IntegratedGradients fine = run(wide ? 256 : 16);
  const bool narrow = test::test_precision() == Precision::kBFloat16;
  const double units = wide ? 16.0 * 0x1.0p-23 : 2.0 * (narrow ? 0x1.0p-7 : 0x1.0p-10);
  EXPECT_NEAR(
      fine.resolution,
      units * (std::fabs(at_zero + fine.change) + std::fabs(at_zero)) / std::fabs(fine.change),
      1e-3 * fine.resolution);
  EXPECT_GT(fine.completeness_error, 0.0);
  EXPECT_LE(fine.completeness_error, fine.resolution);
  EXPECT_TRUE(fine.complete);
  if (!wide) return;  // a single step is within the resolution
  const IntegratedGradients coarse = run(1);
  EXPECT_GT(coarse.completeness_error, coarse.resolution);
  EXPECT_FALSE(coarse.complete);
}

TEST_F(MethodsTest, AnInputThatIsTheBaselineHasNoScores) {
  const std::vector<float> zero = explainer->zero_projection(kBins);
  const IntegratedGradients g = integrated_gradients(*explainer, zero, zero, {2}, {}).front();
  EXPECT_EQ(g.scores, std::vector<float>(static_cast<std::size_t>(kBins), 0.0F));
  EXPECT_TRUE(g.complete);
  EXPECT_EQ(g.steps, 32);
}

TEST_F(MethodsTest, HidingTheWholeWindowIsTheChangeFromTheBaseline) {
  const std::vector<float> z = explainer->project(m.dna);
  const std::vector<float> zero = explainer->zero_projection(kBins);
  const std::vector<BinRange> ranges{{0, kBins}, {3, 5}, {5, 6}};
  const auto effects = occlusion_effects(*explainer, z, zero, ranges, {0, 5}, {.batch = 2});
  ASSERT_EQ(effects.size(), 3U);
  const std::vector<float> at_input = predictions_at(z);
  const std::vector<float> at_zero = predictions_at(zero);
  const double bound = tolerance(1e-5, kModelValue);
  EXPECT_NEAR(effects[0][0], at_input[0] - at_zero[0], bound);
  EXPECT_NEAR(effects[0][1], at_input[5] - at_zero[5], bound);
  EXPECT_GT(std::fabs(effects[0][0]), 1e-3);
  // The batch size affects speed only.
  const auto again = occlusion_effects(*explainer, z, zero, ranges, {0, 5}, {.batch = 1});
  for (std::size_t i = 0; i < effects.size(); ++i) {
    EXPECT_NEAR(effects[i][1], again[i][1], bound);
  }
}

// A baseline so close that the prediction is linear between it and the input: then the forward pass
// must show the effect that the gradient claims for a region.
TEST_F(MethodsTest, RegionOfANearBaselineDoesWhatTheGradientClaims) {
  const std::vector<float> z = explainer->project(m.dna);
  std::vector<float> near = z;
  for (std::size_t i = 0; i < near.size(); ++i) near[i] += (i % 3 == 0 ? 0.02F : -0.01F);
  const std::vector<BinRange> ranges{{0, kBins}, {2, 5}, {4, 5}};
  const auto effects_of = [&](const std::vector<float>& baseline,
                              const std::vector<BinRange>& of_ranges,
                              const std::vector<std::int32_t>& genes) {
    return region_effects(*explainer, z, baseline, of_ranges, genes,
                          gradient_claims(*explainer, z, baseline, genes));
  };
  const auto effects = effects_of(near, ranges, {0, 5});
  ASSERT_EQ(effects.size(), 3U);
  const std::vector<float> predictions = predictions_at(z);
  const std::vector<float> replaced = predictions_at(near);
  for (std::size_t g = 0; g < 2; ++g) {
    const RegionEffect& whole = effects[0][g];
    EXPECT_EQ(whole.prediction, predictions[g == 0 ? 0 : 5]);
    EXPECT_NEAR(whole.replaced, replaced[g == 0 ? 0 : 5], 1e-6);
    EXPECT_GT(std::fabs(whole.difference()), 1e-4);
    for (const auto& of_range : effects) {
      EXPECT_NEAR(of_range[g].claimed, of_range[g].difference(),
                  0.1 * std::fabs(whole.difference()));
    }
    // A region's claim is the sum over its bins.
    EXPECT_NE(effects[1][g].claimed, effects[2][g].claimed);
  }
  // A baseline equal to the input changes nothing.
  const RegionEffect none = effects_of(z, {{1, 4}}, {3})[0][0];
  EXPECT_EQ(none.prediction, none.replaced);
  EXPECT_EQ(none.claimed, 0.0);
}

TEST(GradientL1Test, AddsUpTheSizesOfTheInputGradient) {
  const auto backend = test::make_test_backend();
  Arena arena(*backend, "test");
  const auto made = [&](const Shape& s) { return test::random_tensor(*backend, arena, s, 3); };
  const std::vector<float> got = input_l1(*backend, arena, made({1, 130, 5}), made({5, 7}));
  const std::vector<float> g = test::draws({1, 130, 5}, 3), w = test::draws({5, 7}, 3);
  for (std::size_t bin = 0; bin < 130; ++bin) {
    std::vector<double> d(7);  // d prediction / d input
    for (std::size_t i = 0; i < 35; ++i) d[i % 7] += double{g[5 * bin + i / 7]} * w[i];
    const auto add = [](double sum, double x) { return sum + std::fabs(x); };
    EXPECT_NEAR(got[bin], std::accumulate(d.begin(), d.end(), 0.0, add), 1e-5);
  }
}

TEST(OcclusionRangesTest, CoverTheWindowOnce) {
  const std::vector<BinRange> ranges = occlusion_ranges(11, 4);
  ASSERT_EQ(ranges.size(), 3U);
  EXPECT_EQ(ranges[2].begin, 8);
  EXPECT_EQ(ranges[2].end, 11);
  EXPECT_EQ(occlusion_ranges(3, 100).size(), 1U);
  const std::vector<float> scores = spread(ranges, std::vector<float>{1, -2, 3}, 11);
  EXPECT_EQ(scores, (std::vector<float>{1, 1, 1, 1, -2, -2, -2, -2, 3, 3, 3}));
}

// Cutting a path changes the prediction by its part of the gradient: pooled RNA is held fixed while
// DNA moves a little, and the missing part of the derivative is the part via RNA.
TEST_F(MethodsTest, PartsAreDerivativesWithTheOtherPathsHeld) {
  const std::vector<float> z = explainer->project(m.dna);
  const std::vector<float> zero = explainer->zero_projection(kBins);
  const PathSplit split = split_paths(*explainer, z, {3}).front();
  const auto sum = [](const std::vector<float>& v) {
    return std::accumulate(v.begin(), v.end(), 0.0);
  };
  // Along z - zero: the prediction with the pooled vectors at z (1 + t (z - zero)) for some paths
  // only.
  const auto predict = [&](double t, bool rna_moves) {
    std::vector<float> moved(z.size());
    for (std::size_t i = 0; i < z.size(); ++i) {
      moved[i] = static_cast<float>(z[i] + t * (static_cast<double>(z[i]) - zero[i]));
    }
    m.tape.clear();
    const auto at = [&](const std::vector<float>& from) {
      const Tensor value = m.tape.saved({1, kBins, m.config.hidden});
      m.backend->upload(value, from.data());
      return m.model.pool(
          {.tape = m.tape, .dna_linear = m.tape.constant(value), .trunks = &explainer->trunks()});
    };
    const Pooled still = at(z);
    Pooled pooled = at(moved);
    if (!rna_moves) pooled.rna = still.rna;
    const Var predicted = m.model.predict({.tape = m.tape}, pooled);
    return static_cast<double>(to_host(*m.backend, predicted->value)[3]);
  };
  const double t = 2e-3;
  const double whole = (predict(t, true) - predict(-t, true)) / (2.0 * t);
  const double without = (predict(t, false) - predict(-t, false)) / (2.0 * t);
  const double all = sum(split.product[0]) + sum(split.product[1]) + sum(split.product[2]);
  const double bound = 0.02 * std::fabs(all) + 2e-3;
  EXPECT_NEAR(whole, all, bound);
  EXPECT_NEAR(whole - without, sum(split.product[1]), bound);
}

// The parts through dna_to_rna, by half and head: they add up to the path, and a head whose keys or
// values cannot move has no part there.
TEST_F(MethodsTest, CrossAttentionSplitsByHeadIntoValuesAndPattern) {
  constexpr std::int64_t kHead = 1;
  Parameter& weight = m.model.parameter("dna_to_rna.cross_attn.in_proj_weight");
  const std::int64_t d = m.config.hidden;
  const std::int64_t k = d / m.config.heads;
  const auto blind = [&](std::int64_t first_row) {  // the head's keys or values ignore DNA
    std::vector<float> values = test::draws(weight.variable.value.shape, 21);
    std::fill_n(values.begin() + (first_row + kHead * k) * d, k * d, 0.0F);
    m.model.set(&weight.variable, values.data());
    explainer.emplace(m.model, m.tape, m.rna, m.protein, m.lasting);
    const std::vector<float> z = explainer->project(m.dna);
    auto heads = split_heads(*explainer, z, {3}).front();
    const PathSplit paths = split_paths(*explainer, z, {3}).front();
    for (std::size_t i = 0; i < 2; ++i) {
      double share = 0.0, product = 0.0, size = 0.0;
      for (std::size_t half = 0; half < GradientPass::kHalves; ++half) {
        EXPECT_EQ(heads[i].share[half].size(), 3U);
        for (std::size_t head = 0; head < 3; ++head) {
          share += heads[i].share[half][head];
          product += heads[i].product[half][head];
          size += std::fabs(heads[i].product[half][head]);
        }
      }
      const std::vector<float>& expected = paths.product[i + 1];
      const double bound = tolerance(1e-5, kModelGradient);
      EXPECT_NEAR(share, paths.share[i + 1], bound);
      EXPECT_NEAR(product, std::accumulate(expected.begin(), expected.end(), 0.0), bound * size);
      EXPECT_LT(heads[i].additivity_error, bound);
      EXPECT_GT(size, 0.0);
    }
    return heads;
  };
  const auto without_keys = blind(d);
  const auto without_values = blind(2 * d);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(without_keys[i].share[GradientPass::kPattern][kHead], 0.0);
    EXPECT_NE(without_keys[i].share[GradientPass::kValue][kHead], 0.0);
    EXPECT_NE(without_keys[i].share[GradientPass::kPattern][0], 0.0);
    EXPECT_EQ(without_values[i].share[GradientPass::kValue][kHead], 0.0);
    EXPECT_NE(without_values[i].share[GradientPass::kPattern][0], 0.0);
  }
}

}  // namespace
}  // namespace cdt

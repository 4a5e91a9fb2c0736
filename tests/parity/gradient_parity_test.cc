// The gradient methods against PyTorch (record_gradients.py), and the identities they must satisfy.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "model/explain/attribution.h"
#include "model/explain/averaged_gradients.h"
#include "model/explain/gradient_pass.h"
#include "model/explain/occlusion.h"
#include "model/explain/path_split.h"
#include "tests/parity/model_case.h"
#include "tests/support/precision.h"

namespace cdt::test {
namespace {

using Floats = std::vector<float>;

class GradientParity : public testing::TestWithParam<const char*> {
 protected:
  Floats recorded(const std::string& kind, std::int64_t sample) const {
    return fixture_.values(std::string(GetParam()) + "/" + kind + "/" + std::to_string(sample));
  }
  std::vector<std::int32_t> gene(std::int64_t sample) const {
    return {case_.genes(0)[static_cast<std::size_t>(sample)]};
  }
  /// The DNA of a sample, whose genes the explainer then places.
  Tensor dna(std::int64_t sample) {
    case_.place(explainer_, sample);
    return case_.dna.slice(sample, sample + 1);
  }
  std::int64_t bins() const { return case_.dna.shape[1]; }
  Tape& tape() { return case_.engine.tape; }

  /// The DNA input's mean over samples, projected.
  Floats mean_projection() {
    const Floats all = case_.engine.download(case_.dna);
    const auto size = all.size() / static_cast<std::size_t>(case_.batch());
    Floats mean(size);
    for (std::size_t i = 0; i < size; ++i) {
      double sum = 0.0;
      for (std::size_t at = i; at < all.size(); at += size) sum += all[at];
      mean[i] = static_cast<float>(sum / static_cast<double>(case_.batch()));
    }
    const Tensor t = case_.engine.upload({1, bins(), case_.dna.shape[2]}, mean);
    return explainer_.project(t);
  }

  Fixture fixture_{"gradients"};
  ModelCase case_{GetParam()};
  Explainer explainer_{case_.model, tape(), case_.rna, case_.protein, case_.engine.lasting};
};

TEST_P(GradientParity, GradientTimesInput) {
  Comparison c(gradient_tolerance());
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    attribute(explainer_, explainer_.project(dna(b)), gene(b), true,
              [&](std::size_t, const PairWindows& w) {
                c.check(std::to_string(b), w.gradient_x_input, recorded("gradient_x_input", b));
              });
  }
  EXPECT_TRUE(c.result());
}

TEST_P(GradientParity, IntegratedGradientsFromBothBaselines) {
  Comparison c(gradient_tolerance());
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    const Floats z = explainer_.project(dna(b));
    // A tight gate: the recorded values are integrals, not a quadrature of 32 points. Reduced
    // precision can resolve only a looser one.
    const IntegrationGate gate{.relative = tolerance(1e-5, kModelGradient),
                               .first_steps = float32_accuracy() ? 64 : 16,
                               .most_steps = 256};
    for (const bool mean : {false, true}) {
      const std::string kind = mean ? "integrated_gradients_mean" : "integrated_gradients";
      const Floats baseline = mean ? mean_projection() : explainer_.zero_projection(bins());
      const IntegratedGradients got =
          integrated_gradients(explainer_, z, baseline, gene(b), gate).front();
      // A single sample is its own mean: all zero on both sides.
      c.check(kind + std::to_string(b), got.scores, recorded(kind, b), 1e-6);
      const double sum = std::accumulate(got.scores.begin(), got.scores.end(), 0.0);
      EXPECT_NEAR(sum, got.change, gradient_tolerance() * std::max(1.0, std::fabs(got.change)));
      EXPECT_TRUE(got.complete) << got.completeness_error;
    }
  }
  EXPECT_TRUE(c.result());
}

TEST_P(GradientParity, SmoothGradOnTheSameNoise) {
  const SmoothGradOptions options{
      .samples = static_cast<int>(fixture_.number("smooth_samples")),
      .noise = fixture_.number("smooth_noise"),
      .seed = static_cast<std::uint64_t>(fixture_.number("smooth_seed"))};
  Comparison c(gradient_tolerance());
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    c.check(std::to_string(b), smoothgrad(explainer_, dna(b), gene(b), options).front().scores,
            recorded("smoothgrad", b));
  }
  EXPECT_TRUE(c.result());
}

// An effect is the difference of two predictions, so it is only as exact as they are.
TEST_P(GradientParity, OcclusionIsTheDifferenceOfTwoPredictions) {
  const std::vector<BinRange> ranges =
      occlusion_ranges(bins(), static_cast<std::int64_t>(fixture_.number("occluded_bins")));
  const auto differences = static_cast<std::int64_t>(2 * ranges.size());
  const double scale =
      std::max(norm(case_.fixture.values("prediction")), case_.prediction_scale(differences));
  Comparison c(forward_tolerance());
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    const Floats z = explainer_.project(dna(b));
    for (const bool mean : {false, true}) {
      const std::string kind = mean ? "occlusion_mean" : "occlusion";
      const Floats baseline = mean ? mean_projection() : explainer_.zero_projection(bins());
      Floats effects;
      for (const auto& of_range :
           occlusion_effects(explainer_, z, baseline, ranges, gene(b), {.batch = 3})) {
        effects.push_back(of_range.front());
      }
      c.check(kind + std::to_string(b), effects, recorded(kind, b), scale);
    }
  }
  EXPECT_TRUE(c.result());
}

TEST_P(GradientParity, PathsAndTheirSum) {
  Comparison c(gradient_tolerance());
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    const PathSplit got = split_paths(explainer_, explainer_.project(dna(b)), gene(b)).front();
    Floats norms, products, shares;
    for (std::size_t path = 0; path < got.norm.size(); ++path) {
      norms.insert(norms.end(), got.norm[path].begin(), got.norm[path].end());
      products.insert(products.end(), got.product[path].begin(), got.product[path].end());
      shares.push_back(static_cast<float>(got.share[path]));
    }
    c.check("norms", norms, recorded("path_norms", b));
    c.check("products", products, recorded("path_products", b));
    c.check("shares", shares, recorded("path_shares", b));
    const double bound = tolerance(1e-5, kModelGradient);
    EXPECT_LT(got.additivity_error, bound);
    EXPECT_NEAR(std::accumulate(got.share.begin(), got.share.end(), 0.0), 1.0, bound);
  }
  EXPECT_TRUE(c.result());
}

TEST_P(GradientParity, GradientsOfRnaAndProtein) {
  Comparison c(gradient_tolerance());
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    const GeneGradients got =
        gene_gradients(explainer_, explainer_.project(dna(b)), gene(b)).front();
    c.check("rna", got.rna, recorded("rna_gradient", b));
    c.check("protein", got.protein, recorded("protein_gradient", b));
  }
  EXPECT_TRUE(c.result());
}

INSTANTIATE_TEST_SUITE_P(Fixtures, GradientParity, testing::ValuesIn(kModels),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace cdt::test

// The four mechanisms of cdt-synth: what the effects depend on, and that everything else is the
// same.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "apps/synth/mechanism.h"
#include "apps/synth/plan.h"
#include "apps/synth/synth.h"
#include "io/format/json.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::int64_t kEnhancers = 200, kBins = 21, kFeatures = 13;

SynthPlan small_plan(const std::string& mechanism) {
  SynthPlan plan = preset_plan("tiny");
  plan.mechanism = mechanism;
  plan.sizes.enhancers = kEnhancers;
  plan.sizes.bins = kBins;
  plan.sizes.dna_dim = kFeatures;
  plan.seed = 7;
  return plan;
}

std::vector<float> window_of(const Mechanism& mechanism, std::int64_t enhancer) {
  std::vector<float> out(kBins * kFeatures);
  mechanism.fill_dna(enhancer, out.data());
  return out;
}

/// Statistics of the measured effects: the standard deviation of the gene means around the overall
/// mean, and the Pearson r of the residuals with the activity of the pair's enhancer.
struct EffectMoments {
  double gene_means = 0, activity_r = 0;
};

EffectMoments effect_moments(const Mechanism& mechanism) {
  std::vector<double> sums(mechanism.genes().size());
  std::vector<double> counts(mechanism.genes().size());
  double total = 0.0;
  for (const SynthPair& made : mechanism.pairs()) {
    sums[static_cast<std::size_t>(made.pair.gene)] += made.pair.beta;
    counts[static_cast<std::size_t>(made.pair.gene)] += 1.0;
    total += made.pair.beta / static_cast<double>(mechanism.pairs().size());
  }
  EffectMoments out;
  for (std::size_t g = 0; g < sums.size(); ++g) {
    const double from_all = sums[g] / counts[g] - total;
    out.gene_means += from_all * from_all / static_cast<double>(sums.size());
  }
  out.gene_means = std::sqrt(out.gene_means);
  std::vector<float> rest;
  std::vector<float> activities;
  for (const SynthPair& made : mechanism.pairs()) {
    const auto gene = static_cast<std::size_t>(made.pair.gene);
    rest.push_back(static_cast<float>(made.pair.beta - sums[gene] / counts[gene]));
    activities.push_back(static_cast<float>(
        mechanism.sites()[static_cast<std::size_t>(made.pair.enhancer)].activity()));
  }
  out.activity_r = compute_metrics(rest, activities).pearson;
  return out;
}

// 400 pairs, 50 per gene: a gene mean has a standard error of 0.08 / sqrt(50) = 0.011, and a zero
// correlation one of 0.05. The bounds are four standard errors; the standard deviation of eight
// offsets between -0.8 and 0 is 0.23, plus or minus a third.
TEST(SynthMechanism, EffectsFollowWhatTheMechanismNames) {
  const auto moments = [](const char* name) { return effect_moments(Mechanism(small_plan(name))); };
  const EffectMoments none = moments("none");
  EXPECT_LT(none.gene_means, 0.044);
  EXPECT_LT(std::abs(none.activity_r), 0.2);
  const EffectMoments gene_only = moments("gene-only");
  EXPECT_GT(gene_only.gene_means, 0.12);
  EXPECT_LT(std::abs(gene_only.activity_r), 0.2);
  const EffectMoments dna = moments("dna");
  EXPECT_LT(dna.gene_means, 4.0 * std::hypot(0.011, 0.4 * 0.29 / std::sqrt(50.0)));
  EXPECT_LT(dna.activity_r, -0.7);
  EXPECT_LT(moments("specific").activity_r, -0.6);
}

TEST(SynthMechanism, MechanismsShareWindowsPairsAndNoise) {
  const Mechanism specific(small_plan("specific"));
  for (const char* name : {"none", "gene-only", "dna"}) {
    const Mechanism other(small_plan(name));
    EXPECT_EQ(window_of(other, 11), window_of(specific, 11)) << name;
    ASSERT_EQ(other.pairs().size(), specific.pairs().size());
    for (std::size_t i = 0; i < other.pairs().size(); ++i) {
      const SynthPair& a = other.pairs()[i];
      const SynthPair& b = specific.pairs()[i];
      EXPECT_EQ(a.pair.gene, b.pair.gene);
      EXPECT_NEAR(a.pair.beta - a.noiseless_beta, b.pair.beta - b.noiseless_beta, 1e-6);
    }
  }
}

TEST(SynthMechanism, RnaTellsASensitivityOnlyWhereGenesDifferInIt) {
  const std::vector<float> without = Mechanism(small_plan("none")).rna();
  EXPECT_EQ(Mechanism(small_plan("gene-only")).rna(), without);
  EXPECT_NE(Mechanism(small_plan("specific")).rna(), without);
  const Mechanism dna(small_plan("dna"));
  for (const SynthGene& gene : dna.genes()) {
    EXPECT_EQ(gene.offset, dna.genes().front().offset);
    EXPECT_EQ(gene.sensitivity, dna.genes().front().sensitivity);
  }
}

TEST(SynthMechanism, OnlyWhatDnaTellsCountsAsAnEffect) {
  for (const auto& [name, wanted] : {std::pair("none", 0.0), std::pair("gene-only", 0.0),
                                     std::pair("dna", 1.0), std::pair("specific", 0.75)}) {
    const Mechanism mechanism(small_plan(name));
    double effects = 0.0;
    for (const SynthGene& gene : mechanism.genes()) {
      effects += gene.sensitivity > 0.0 ? 0.125 : 0.0;
    }
    EXPECT_EQ(effects, wanted) << name;
    for (const SynthPair& made : mechanism.pairs()) {
      const SynthGene& gene = mechanism.genes()[static_cast<std::size_t>(made.pair.gene)];
      EXPECT_EQ(made.has_effect, gene.sensitivity > 0.0) << name;
    }
  }
}

TEST(SynthMechanism, CeilingsFollowFromTheNoiselessEffects) {
  const auto ceiling = [](const char* name) {
    return noise_ceiling(Mechanism(small_plan(name)).pairs(), Split::kTrain);
  };
  EXPECT_TRUE(std::isnan(ceiling("none")));
  EXPECT_GT(ceiling("gene-only"), 0.8);
  // Effects with a standard deviation of 0.4 / sqrt(12) with a noise of 0.08: sqrt(0.676).
  EXPECT_NEAR(ceiling("dna"), 0.822, 4.0 * (1.0 - 0.676) / std::sqrt(320.0));
}

nlohmann::json truth_of(const char* mechanism) {
  const SynthPlan plan = small_plan(mechanism);
  return parse_json(truth_text(plan, Mechanism(plan), std::vector<Enhancer>(kEnhancers),
                               std::vector<std::string>(8, "G")),
                    "truth.json");
}

TEST(SynthTruth, NamesTheMechanismUnlessItIsTheDefault) {
  EXPECT_FALSE(truth_of("specific").contains("mechanism"));
  EXPECT_EQ(truth_of("dna").at("mechanism"), "dna");
  const nlohmann::json none = truth_of("none");
  EXPECT_EQ(none.at("mechanism"), "none");
  EXPECT_TRUE(none.at("noise_ceiling").empty());
}

}  // namespace
}  // namespace cdt

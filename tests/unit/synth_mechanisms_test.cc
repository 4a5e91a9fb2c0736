// The five mechanisms of cdt-synth: what the effects depend on, and that everything else is the
// same.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "apps/synth/mechanism.h"
#include "apps/synth/plan.h"
#include "apps/synth/synth.h"
#include "io/dataset/truth.h"
#include "io/format/json.h"
#include "model/stats/statistics.h"
#include "tests/support/temp_dir.h"

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
        mechanism.sites()[static_cast<std::size_t>(made.pair.enhancer)].first.activity()));
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
  EXPECT_LT(moments("product").activity_r, -0.6);
}

TEST(SynthMechanism, MechanismsShareWindowsPairsAndNoise) {
  const Mechanism product(small_plan("product"));
  for (const char* name : {"none", "gene-only", "dna", "specific"}) {
    const Mechanism other(small_plan(name));
    EXPECT_EQ(window_of(other, 11), window_of(product, 11)) << name;
    ASSERT_EQ(other.pairs().size(), product.pairs().size());
    for (std::size_t i = 0; i < other.pairs().size(); ++i) {
      const SynthPair& a = other.pairs()[i];
      const SynthPair& b = product.pairs()[i];
      EXPECT_EQ(a.pair.gene, b.pair.gene);
      EXPECT_NEAR(a.pair.beta - a.noiseless_beta, b.pair.beta - b.noiseless_beta, 1e-6);
    }
  }
}

TEST(SynthMechanism, RnaTellsASensitivityOnlyWhereGenesDifferInIt) {
  const std::vector<float> without = Mechanism(small_plan("none")).rna();
  EXPECT_EQ(Mechanism(small_plan("gene-only")).rna(), without);
  EXPECT_NE(Mechanism(small_plan("product")).rna(), without);
  const Mechanism dna(small_plan("dna"));
  for (const SynthGene& gene : dna.genes()) {
    EXPECT_EQ(gene.offset, dna.genes().front().offset);
    EXPECT_EQ(gene.sensitivity, dna.genes().front().sensitivity);
  }
}

TEST(SynthMechanism, OnlyWhatDnaTellsCountsAsAnEffect) {
  for (const auto& [name, wanted] :
       {std::pair("none", 0.0), std::pair("gene-only", 0.0), std::pair("dna", 1.0),
        std::pair("product", 0.75), std::pair("specific", 1.0)}) {
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

/// Residuals of the measured effects around their gene's mean, against the activity of each of the
/// two sites, over the pairs whose gene is of one class.
std::pair<double, double> site_correlations(const Mechanism& mechanism, bool of_second) {
  std::vector<double> sums(mechanism.genes().size()), counts(sums.size());
  for (const SynthPair& made : mechanism.pairs()) {
    sums[static_cast<std::size_t>(made.pair.gene)] += made.pair.beta;
    counts[static_cast<std::size_t>(made.pair.gene)] += 1.0;
  }
  std::vector<double> rest, first, second;
  for (const SynthPair& made : mechanism.pairs()) {
    const auto gene = static_cast<std::size_t>(made.pair.gene);
    if (mechanism.genes()[gene].of_second != of_second) continue;
    const PlantedSites& sites = mechanism.sites()[static_cast<std::size_t>(made.pair.enhancer)];
    rest.push_back(made.pair.beta - sums[gene] / counts[gene]);
    first.push_back(sites.first.activity());
    second.push_back(sites.second.activity());
  }
  return {pearson(rest, first), pearson(rest, second)};
}

// About 200 pairs per class: a zero correlation has a standard error of 0.07.
TEST(SynthSpecific, EachSiteActsOnTheGenesOfItsClass) {
  const Mechanism mechanism(small_plan("specific"));
  const auto [own_a, other_a] = site_correlations(mechanism, false);
  const auto [other_b, own_b] = site_correlations(mechanism, true);
  EXPECT_LT(own_a, -0.6);
  EXPECT_LT(own_b, -0.6);
  EXPECT_LT(std::abs(other_a), 0.28);
  EXPECT_LT(std::abs(other_b), 0.28);
  for (const char* name : {"none", "gene-only", "dna", "product"}) {
    const Mechanism other(small_plan(name));
    for (const SynthGene& gene : other.genes()) {
      EXPECT_FALSE(gene.of_second) << name;
    }
  }
}

// Rows of norm 1: of the direction that names the class, one class has more and the other less than
// any row has of a direction by chance, so the difference of the two means finds the class.
TEST(SynthSpecific, RnaTellsTheClassAlongOneDirection) {
  SynthPlan plan = small_plan("specific");
  plan.sizes.genes = 40;
  plan.sizes.rna_dim = 32;
  const Mechanism mechanism(plan);
  const std::vector<float> rna = mechanism.rna();
  std::vector<double> direction(32);
  for (std::size_t g = 0; g < 40; ++g) {
    for (std::size_t i = 0; i < 32; ++i)
      direction[i] += (g % 2 == 0 ? 1.0 : -1.0) * rna[32 * g + i];
  }
  for (std::size_t g = 0; g < 40; ++g) {
    double along = 0.0;
    for (std::size_t i = 0; i < 32; ++i) along += direction[i] * rna[32 * g + i];
    EXPECT_EQ(along < 0.0, mechanism.genes()[g].of_second) << g;
  }
}

std::vector<std::string> gene_names() {
  std::vector<std::string> out;
  for (int g = 0; g < 8; ++g) out.push_back("G" + std::to_string(g));
  return out;
}

std::vector<Enhancer> named_enhancers() {
  std::vector<Enhancer> out(kEnhancers, {"chr1", 5000, 5100, ""});
  for (std::size_t e = 0; e < out.size(); ++e) out[e].name = "E" + std::to_string(e);
  return out;
}

std::string text_of(const char* mechanism) {
  const SynthPlan plan = small_plan(mechanism);
  return truth_text(plan, Mechanism(plan), named_enhancers(), gene_names());
}

nlohmann::json truth_of(const char* mechanism) {
  return parse_json(text_of(mechanism), "truth.json");
}

TEST(SynthSpecific, TruthStatesTheClassesAndBothSites) {
  const Mechanism mechanism(small_plan("specific"));
  const test::TempDir dir;
  std::ofstream(dir.path / "truth.json") << text_of("specific");
  const std::optional<Truth> truth = read_truth(dir.path, kBins);
  ASSERT_TRUE(truth && truth->has_classes());
  EXPECT_EQ(truth->classes.size(), 8U);
  const PlantedSites& planted = mechanism.sites()[3];
  const auto bins = [](std::int64_t centre) {
    return std::vector<std::int64_t>{centre - 1, centre, centre + 1};
  };
  for (std::size_t g = 0; g < 8; ++g) {
    const bool second = mechanism.genes()[g].of_second;
    const std::optional<TruthSites> sites = truth->sites_for("E3", "G" + std::to_string(g));
    ASSERT_TRUE(sites);
    EXPECT_EQ(sites->causal, bins((second ? planted.second : planted.first).centre)) << g;
    EXPECT_EQ(sites->decoy, bins((second ? planted.first : planted.second).centre)) << g;
  }
  EXPECT_FALSE(truth->sites_for("E3", "G8"));
  EXPECT_FALSE(truth->sites_for("E200", "G1"));
  const std::string bed = sites_bed(small_plan("specific"), mechanism, named_enhancers());
  EXPECT_NE(bed.find("\tE3_acts_on_a\t0\tacts_on_a\n"), std::string::npos);
  EXPECT_NE(bed.find("\tE3_acts_on_b\t0\tacts_on_b\n"), std::string::npos);
}

// A reader of version 1 would take every gene for one of class a.
TEST(SynthTruth, OnlyClassesNeedTheNewVersion) {
  for (const char* name : {"none", "gene-only", "dna", "product"}) {
    EXPECT_EQ(truth_of(name).at("version"), 1) << name;
    EXPECT_FALSE(truth_of(name).contains("genes")) << name;
  }
  EXPECT_EQ(truth_of("specific").at("version"), 2);
}

TEST(SynthTruth, NamesTheMechanismUnlessItIsTheDefault) {
  EXPECT_FALSE(truth_of("product").contains("mechanism"));
  EXPECT_EQ(truth_of("dna").at("mechanism"), "dna");
  const nlohmann::json none = truth_of("none");
  EXPECT_EQ(none.at("mechanism"), "none");
  EXPECT_TRUE(none.at("noise_ceiling").empty());
}

}  // namespace
}  // namespace cdt

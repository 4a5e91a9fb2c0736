#include "apps/synth/synth.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "apps/synth/gene_places.h"
#include "apps/synth/mechanism.h"
#include "apps/synth/plan.h"
#include "engine/error.h"
#include "io/format/json.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

SynthPlan small_plan() {
  SynthPlan plan = preset_plan("tiny");
  plan.sizes.enhancers = 200;
  plan.sizes.bins = 21;
  plan.sizes.dna_dim = 13;
  plan.seed = 7;
  return plan;
}

std::vector<float> window_of(const SynthPlan& plan, const Mechanism& mechanism, std::int64_t e) {
  std::vector<float> out(static_cast<std::size_t>(plan.sizes.bins * plan.sizes.dna_dim));
  mechanism.fill_dna(e, out.data());
  return out;
}

/// Row `bin` of a window.
std::vector<double> row_of(const SynthPlan& plan, const std::vector<float>& window,
                           std::int64_t bin) {
  const auto first = window.begin() + bin * plan.sizes.dna_dim;
  return {first, first + plan.sizes.dna_dim};
}

/// Mean of the rows at the centre of each enhancer's site `which` minus the mean of all rows: the
/// planted direction, estimated from the data alone.
std::vector<double> estimated_motif(const SynthPlan& plan, const Mechanism& mechanism,
                                    PlantedSite PlantedSites::*which) {
  const auto enhancers = static_cast<double>(plan.sizes.enhancers);
  const auto bins = static_cast<double>(plan.sizes.bins);
  std::vector<double> out(static_cast<std::size_t>(plan.sizes.dna_dim));
  for (std::int64_t e = 0; e < plan.sizes.enhancers; ++e) {
    const std::vector<float> window = window_of(plan, mechanism, e);
    const std::int64_t site = (mechanism.sites()[static_cast<std::size_t>(e)].*which).centre;
    for (std::int64_t bin = 0; bin < plan.sizes.bins; ++bin) {
      const std::vector<double> row = row_of(plan, window, bin);
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] += (bin == site ? row[i] : 0.0) / enhancers - row[i] / (enhancers * bins);
      }
    }
  }
  return out;
}

/// Pearson r between the site's component along the estimated motif and the enhancer's activity.
double correlation_with_activity(const SynthPlan& plan, const Mechanism& mechanism,
                                 PlantedSite PlantedSites::*which) {
  const std::vector<double> motif = estimated_motif(plan, mechanism, which);
  std::vector<float> shares;
  std::vector<float> activities;
  for (std::int64_t e = 0; e < plan.sizes.enhancers; ++e) {
    const PlantedSites& sites = mechanism.sites()[static_cast<std::size_t>(e)];
    const std::vector<double> row =
        row_of(plan, window_of(plan, mechanism, e), (sites.*which).centre);
    double share = 0.0;
    for (std::size_t i = 0; i < row.size(); ++i) share += row[i] * motif[i];
    shares.push_back(static_cast<float>(share));
    activities.push_back(static_cast<float>(sites.first.activity()));
  }
  return compute_metrics(shares, activities).pearson;
}

std::string message_of(const SynthPlan& plan) {
  try {
    check_plan(plan);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(SynthPlan, PaperPresetHasThePublishedSizes) {
  const SynthPlan plan = preset_plan("paper");
  EXPECT_EQ(plan.sizes.bins, 896);
  EXPECT_EQ(plan.sizes.dna_dim, 3072);
  EXPECT_EQ(plan.sizes.genes, 2360);
  EXPECT_EQ(plan.sizes.rna_dim, 512);
  EXPECT_EQ(plan.sizes.protein_dim, 768);
  EXPECT_EQ(plan.sizes.blob_bytes(), std::uint64_t{4} * (5434ULL * 896 * 3072 + 2360ULL * 1280));
}

TEST(SynthPlan, RefusesSizesWithoutRoom) {
  SynthPlan plan = small_plan();
  EXPECT_EQ(message_of(plan), "");
  plan.sizes.bins = 11;
  EXPECT_EQ(message_of(plan), "command line: --bins: out of range (expected 12 to 65536, got 11)");
}

TEST(SynthMechanism, SameSeedSameNumbersInAnyOrder) {
  const SynthPlan plan = small_plan();
  const Mechanism a(plan);
  const Mechanism b(plan);
  const std::vector<float> late = window_of(plan, a, 5);
  window_of(plan, b, 9);
  EXPECT_EQ(late, window_of(plan, b, 5));
  EXPECT_EQ(a.rna(), b.rna());
  SynthPlan other = plan;
  other.seed = 8;
  EXPECT_NE(late, window_of(plan, Mechanism(other), 5));
}

TEST(SynthMechanism, AllBinsHaveTheSameNorm) {
  const SynthPlan plan = small_plan();
  const Mechanism mechanism(plan);
  const std::vector<float> window = window_of(plan, mechanism, 3);
  for (std::int64_t bin = 0; bin < plan.sizes.bins; ++bin) {
    double squares = 0.0;
    for (const double value : row_of(plan, window, bin)) squares += value * value;
    EXPECT_NEAR(squares, static_cast<double>(plan.sizes.dna_dim), 1e-5) << "bin " << bin;
  }
}

TEST(SynthMechanism, SitesLieInTheWindowAndApart) {
  for (const std::int64_t bins : {12, 16, 127, 128, 896, 2000}) {
    SynthPlan plan = small_plan();
    plan.sizes.bins = bins;
    const Mechanism mechanism(plan);
    for (const PlantedSites& sites : mechanism.sites()) {
      for (const std::int64_t centre : {sites.first.centre, sites.second.centre}) {
        EXPECT_GE(centre - plan.reach(), 0);
        EXPECT_LT(centre + plan.reach(), bins);
      }
      // A peak within 2 bins of one site is not within 2 bins of the other.
      EXPECT_GT(std::abs(sites.first.centre - sites.second.centre) - 2 * plan.reach(), 4);
    }
  }
}

TEST(SynthMechanism, OnlyTheCausalSiteTellsTheActivity) {
  const SynthPlan plan = small_plan();
  const Mechanism mechanism(plan);
  EXPECT_GT(correlation_with_activity(plan, mechanism, &PlantedSites::first), 0.8);
  // 200 enhancers: the standard error of a zero correlation is 0.07.
  EXPECT_LT(std::abs(correlation_with_activity(plan, mechanism, &PlantedSites::second)), 0.25);
}

TEST(SynthMechanism, BetaFollowsTheFormula) {
  SynthPlan plan = small_plan();
  plan.noise = 0.0;
  const Mechanism mechanism(plan);
  std::set<std::pair<int, int>> seen;
  for (const SynthPair& made : mechanism.pairs()) {
    const SynthGene& gene = mechanism.genes()[static_cast<std::size_t>(made.pair.gene)];
    const double activity =
        mechanism.sites()[static_cast<std::size_t>(made.pair.enhancer)].first.activity();
    EXPECT_DOUBLE_EQ(made.noiseless_beta, gene.offset - gene.sensitivity * activity);
    EXPECT_EQ(made.pair.beta, static_cast<float>(made.noiseless_beta));
    EXPECT_EQ(made.has_effect, gene.sensitivity > 0.0);
    EXPECT_LT(made.pair.beta, 0.0F);
    EXPECT_EQ(made.pair.split, synth_split(made.pair.enhancer));
    EXPECT_TRUE(seen.insert({made.pair.enhancer, made.pair.gene}).second);
  }
  EXPECT_EQ(seen.size(), 400U);
  EXPECT_NEAR(noise_ceiling(mechanism.pairs(), Split::kVal), 1.0, 1e-12);
}

TEST(SynthMechanism, NoiseLowersTheCeiling) {
  SynthPlan plan = preset_plan("demo");
  const double low = noise_ceiling(Mechanism(plan).pairs(), Split::kVal);
  EXPECT_GT(low, 0.8);
  EXPECT_LT(low, 0.92);
  plan.noise = 0.3;
  EXPECT_LT(noise_ceiling(Mechanism(plan).pairs(), Split::kVal), low - 0.2);
}

TEST(SynthPlaces, StartsAreInsideOutsideElsewhereAndUnknown) {
  SynthPlan plan = small_plan();
  plan.sizes.genes = 10;
  const std::int64_t before = plan.sizes.bins / 2 * plan.sizes.bin_bp;
  const std::int64_t window = plan.sizes.bins * plan.sizes.bin_bp;
  std::vector<Enhancer> enhancers;
  std::vector<Pair> pairs;
  for (std::int32_t i = 0; i < 10; ++i) {
    const std::int64_t start = 1'000'000 * (i / 2 + 1);
    enhancers.push_back({i % 2 == 0 ? "chr1" : "chr2", start, start + 500, std::to_string(i)});
    if (i != 8) pairs.push_back({.enhancer = i, .gene = i});
    pairs.push_back({.enhancer = i, .gene = 0});
  }
  const auto starts = place_genes(plan, enhancers, pairs);
  ASSERT_EQ(starts.size(), 10U);
  for (std::size_t gene = 0; gene < 8; ++gene) {
    ASSERT_TRUE(starts[gene].has_value());
    EXPECT_NE(starts[gene]->strand, 0);
    EXPECT_EQ(starts[gene]->chrom == enhancers[gene].chrom, gene % 4 != 2);
    const std::int64_t offset = starts[gene]->position - enhancers[gene].centre();
    EXPECT_EQ(offset >= -before && offset < window - before, gene % 4 != 1) << offset;
    EXPECT_LE(std::abs(offset), 11 * window);
  }
  EXPECT_FALSE(starts[8].has_value()) << "in no pair";
  EXPECT_FALSE(starts[9].has_value()) << "the last";
  EXPECT_EQ(place_genes(plan, enhancers, pairs), starts);
  plan.seed = 8;
  EXPECT_NE(place_genes(plan, enhancers, pairs), starts);
}

TEST(SynthTruth, TextNamesEverySiteAndPair) {
  SynthPlan plan = small_plan();
  plan.sizes.enhancers = 20;
  const Mechanism mechanism(plan);
  std::vector<Enhancer> enhancers(20);
  for (std::size_t e = 0; e < enhancers.size(); ++e) enhancers[e].name = "E" + std::to_string(e);
  std::vector<std::string> genes;
  for (int g = 0; g < 8; ++g) genes.push_back("G" + std::to_string(g));
  const nlohmann::json truth =
      parse_json(truth_text(plan, mechanism, enhancers, genes), "truth.json");
  EXPECT_EQ(truth.at("format"), "cdt-truth");
  EXPECT_EQ(truth.at("seed"), 7);
  EXPECT_EQ(truth.at("noise_ceiling").at("train").at("pearson"),
            noise_ceiling(mechanism.pairs(), Split::kTrain));
  ASSERT_EQ(truth.at("sites").size(), 20U);
  const std::int64_t causal = mechanism.sites()[4].first.centre;
  const std::vector<std::int64_t> bins = {causal - 1, causal, causal + 1};
  EXPECT_EQ(truth.at("sites")[4].at("enhancer"), "E4");
  EXPECT_EQ(truth.at("sites")[4].at("causal_bins"), nlohmann::json(bins));
  ASSERT_EQ(truth.at("pairs").size(), 40U);
  const SynthPair& made = mechanism.pairs()[11];
  EXPECT_EQ(truth.at("pairs")[11].at("gene"), "G" + std::to_string(made.pair.gene));
  EXPECT_EQ(truth.at("pairs")[11].at("noiseless_beta"), made.noiseless_beta);
  EXPECT_EQ(truth.at("pairs")[11].at("has_effect"), made.has_effect);
}

// Bins of truth.json as intervals: bin b starts at centre + (b - L/2) x bin_bp.
TEST(SynthTruth, SitesAsBed) {
  const SynthPlan plan = small_plan();
  const Mechanism mechanism(plan);
  std::vector<Enhancer> enhancers(200, {"chr1", 5000, 5100, "E"});
  const std::string bed = sites_bed(plan, mechanism, enhancers);
  const PlantedSites& first = mechanism.sites().front();
  const std::int64_t start =
      5050 + (first.first.centre - plan.reach() - plan.sizes.bins / 2) * plan.sizes.bin_bp;
  const std::int64_t end = start + (2 * plan.reach() + 1) * plan.sizes.bin_bp;
  const std::string wanted =
      "chr1\t" + std::to_string(start) + "\t" + std::to_string(end) + "\tE_causal\t0\tcausal\n";
  EXPECT_EQ(bed.substr(0, wanted.size()), wanted);
  EXPECT_EQ(std::count(bed.begin(), bed.end(), '\n'), 400);
  // Windows that start before the first base: sites are cut or removed, never negative or empty.
  for (Enhancer& enhancer : enhancers) enhancer = {"chr1", 0, 100, "E"};
  const std::string cut = sites_bed(plan, mechanism, enhancers);
  EXPECT_LT(std::count(cut.begin(), cut.end(), '\n'), 400);
  EXPECT_EQ(cut.find('-'), std::string::npos);
}

TEST(SynthTruth, LeavesOutACeilingThatIsUndefined) {
  SynthPlan plan = small_plan();
  plan.sizes.enhancers = 20;  // one of them in test
  plan.pairs_per_enhancer = 1;
  const Mechanism mechanism(plan);
  const std::vector<Enhancer> enhancers(20);
  const std::vector<std::string> genes(8, "G");
  const nlohmann::json truth =
      parse_json(truth_text(plan, mechanism, enhancers, genes), "truth.json");
  EXPECT_TRUE(truth.at("noise_ceiling").contains("train"));
  EXPECT_FALSE(truth.at("noise_ceiling").contains("test"));
}

}  // namespace
}  // namespace cdt

// Figures make a claim only from windows of enough enhancers, mostly with trained genes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "apps/report/figures.h"
#include "apps/report/gnuplot.h"
#include "tests/support/report_world.h"

namespace cdt {
namespace {

using test::ReportWorld;

/// Uneven windows, the same for all methods.
double uneven(std::size_t i) { return 0.1 + static_cast<double>((i * i) % 11); }

/// A world whose numbers allow the claims of enrichment, of the gradient's prediction and of sites.
void make_clear(Attribution* attribution) {
  AttributionSummary& summary = attribution->summary;
  ClassEnrichment c;
  c.method = "attention";
  c.file = "f";
  c.class_name = "c";
  c.bins = 100;
  c.bins_on_class = 20;
  c.top_bins = 50;
  c.top_bins_on_class = 30;
  c.fold = {3.0, {2.0, 4.0}};
  c.p.p = c.q = 0.001;
  summary.annotations->enrichment = {c};
  summary.effects->methods[0].second.pearson_mean.interval = {0.9, 1.0};
  MethodSiteScores& scores = summary.truth_scores->methods[0].second;
  scores.n = 40;
  scores.causal.auroc = scores.decoy.auroc = scores.causal_over_decoy = {0.9, {0.8, 0.95}};
}

/// Whether the figure's finding has the claim, made or with the reason why not.
template <class Draw>
bool claims(const Draw& draw, const Material& material, const std::string& name) {
  const auto figure = std::get<Figure>(draw(Gnuplot(), material));
  return figure.finding.code().find("data-claim=\"" + name + "\"") != std::string::npos;
}

void expect_claims(const Material& material, bool said) {
  EXPECT_EQ(claims(enrichment_figure, material, "enrichment"), said);
  EXPECT_EQ(claims(occlusion_figure, material, "foretelling"), said);
  EXPECT_EQ(claims(truth_figure, material, "sites"), said);
}

TEST(ReportClaimsTest, FiguresConcludeFromTwentyEnhancersOfTrainedGenes) {
  for (const std::int64_t enhancers : {19, 20}) {
    SCOPED_TRACE(enhancers);
    ReportWorld world({.bins = 24, .enhancers = enhancers}, uneven);
    Attribution& attribution = *world.material().attribution;
    make_clear(&attribution);
    expect_claims(world.material(), enhancers == 20);
    for (std::size_t i = 0; i <= attribution.pairs.size() / 2; ++i) {
      attribution.pairs[i].untrained = true;
    }
    expect_claims(world.material(), false);
  }
}

/// Scores of the gradient, and effects of occluding `width` bins at a time that have nothing to do
/// with them: each bin adds a random amount to its range's effect. Few bins have most of the
/// gradient, so even the mean over a shorter range tends to be smaller.
void set_independent(ReportWorld* world, std::int64_t width) {
  const std::int64_t bins = world->data().bins;
  Attribution& attribution = *world->material().attribution;
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  std::vector<float> gradient, occlusion;
  for (std::int64_t row = 0; row < attribution.rows(); ++row) {
    for (std::int64_t begin = 0; begin < bins; begin += width) {
      const std::int64_t size = std::min(width, bins - begin);
      float effect = 0;
      for (std::int64_t bin = 0; bin < size; ++bin) {
        gradient.push_back(std::exp(2 * normal(random)));
        effect += normal(random);
      }
      occlusion.insert(occlusion.end(), static_cast<std::size_t>(size), std::fabs(effect));
    }
  }
  world->set_scores("gradient", gradient);
  world->set_scores("occlusion", occlusion);
  attribution.summary.effects->bins_at_a_time = width;
  attribution.summary.effects->methods[0].second.pearson_mean = {0.1, {0.05, 0.15}};
}

TEST(ReportClaimsTest, AShorterLastRangeForetellsNothing) {
  ReportWorld world({.bins = 25, .enhancers = 200}, uneven);
  for (const std::int64_t width : {1, 8}) {
    SCOPED_TRACE(width);
    set_independent(&world, width);
    EXPECT_FALSE(claims(occlusion_figure, world.material(), "foretelling"));
    const auto figure = std::get<Figure>(occlusion_figure(Gnuplot(), world.material()));
    const bool told = figure.finding.code().find("less than a whole range") != std::string::npos;
    EXPECT_EQ(told, width > 1) << figure.finding.code();
  }
  for (const std::int64_t width : {9, 24, 25}) {
    SCOPED_TRACE(width);
    set_independent(&world, width);
    const Item item = occlusion_figure(Gnuplot(), world.material());
    ASSERT_TRUE(std::holds_alternative<Omission>(item));
    const std::string reason = std::get<Omission>(item).reason.code();
    EXPECT_NE(reason.find("needs 3 ranges of bins"), std::string::npos) << reason;
  }
}

TEST(ReportClaimsTest, RowsOfGenesWithoutALeastCorrelationSayNothing) {
  ReportWorld world({.enhancers = 6}, uneven);
  std::vector<GeneRowCorrelation>& rows = *world.material().attribution->summary.maps->gene_rows;
  rows.clear();
  for (int e = 0; e < 6; ++e) {
    rows.push_back({"E" + std::to_string(e), 1, 0, 0.999, 0.999, 0.995, 1.0});
  }
  EXPECT_TRUE(claims(maps_figure, world.material(), "gene-rows"));
  rows[0].min = std::nan("");
  EXPECT_TRUE(claims(maps_figure, world.material(), "gene-rows")) << "of the five others";
  rows[1].min = std::nan("");
  EXPECT_FALSE(claims(maps_figure, world.material(), "gene-rows"));
}

}  // namespace
}  // namespace cdt

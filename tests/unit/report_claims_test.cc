// Figures conclude something only from windows of enough enhancers, mostly of trained genes.
#include <gtest/gtest.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/report/figures.h"
#include "apps/report/gnuplot.h"
#include "tests/support/report_world.h"

namespace cdt {
namespace {

using test::ReportWorld;

/// Of uneven windows, the same for all methods.
double uneven(std::size_t i) { return 0.1 + static_cast<double>((i * i) % 11); }

/// A world whose numbers allow the claims of enrichment, foretelling and sites.
void make_clear(Attribution* attribution) {
  nlohmann::json& summary = attribution->summary;
  summary["annotations"]["enrichment"] = {{{"method", "attention"},
                                           {"file", "f"},
                                           {"class", "c"},
                                           {"bins", 100},
                                           {"bins_on_class", 20},
                                           {"top_bins", 50},
                                           {"top_bins_on_class", 30},
                                           {"fold", 3.0},
                                           {"fold_interval", {2.0, 4.0}},
                                           {"p", 0.001},
                                           {"q", 0.001}}};
  summary["occlusion_vs_gradient"]["gradient"]["pearson_mean_ci"] = {0.9, 1.0};
  const nlohmann::json auroc = {{"auroc", {{"value", 0.9}, {"low", 0.8}, {"high", 0.95}}}};
  summary["truth_scores"]["methods"]["attention"] = {
      {"n", 40}, {"causal", auroc}, {"decoy", auroc}, {"causal_over_decoy", auroc}};
}

/// Whether the finding of the figure holds the claim, said or told why not.
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
    ReportWorld world({.bins = 7, .enhancers = enhancers}, uneven);
    Attribution& attribution = *world.material().attribution;
    make_clear(&attribution);
    expect_claims(world.material(), enhancers == 20);
    for (std::size_t i = 0; i <= attribution.pairs.size() / 2; ++i) {
      attribution.pairs[i].untrained = true;
    }
    expect_claims(world.material(), false);
  }
}

TEST(ReportClaimsTest, RowsOfGenesWithoutALeastCorrelationSayNothing) {
  ReportWorld world({.enhancers = 6}, uneven);
  nlohmann::json& rows =
      world.material().attribution->summary["attention_maps"]["gene_row_correlation"];
  rows = nlohmann::json::array();
  for (int e = 0; e < 6; ++e) {
    rows.push_back({{"enhancer", "E" + std::to_string(e)},
                    {"mean", 0.999},
                    {"min", 0.995},
                    {"share_above_0.99", 1.0}});
  }
  EXPECT_TRUE(claims(maps_figure, world.material(), "gene-rows"));
  rows[0].erase("min");
  EXPECT_TRUE(claims(maps_figure, world.material(), "gene-rows")) << "of the five others";
  rows[1]["min"] = nullptr;
  EXPECT_FALSE(claims(maps_figure, world.material(), "gene-rows"));
}

}  // namespace
}  // namespace cdt

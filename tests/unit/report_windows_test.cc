// A report with undefined windows: what the figures leave out and say about it.
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "apps/report/explained_pairs.h"
#include "apps/report/figures.h"
#include "apps/report/gnuplot.h"
#include "tests/support/report_world.h"

namespace cdt {
namespace {

using test::ReportWorld;

/// Four pairs with windows of `kBins`: the second is all zeros, the third all one value.
template <std::size_t kBins = 3>
double mixed(std::size_t i) {
  if (i / kBins == 1) return 0.0;
  if (i / kBins == 2) return 0.5;
  return 0.1 + 0.2 * static_cast<double>(i % 3);
}

bool holds(const Html& html, const std::string& part) {
  return html.code().find(part) != std::string::npos;
}

TEST(DefinedPairsTest, CountsTheOthersByWhy) {
  ReportWorld world({}, mixed<>);
  Attribution& attribution = *world.material().attribution;
  const DefinedPairs defined = defined_pairs(attribution, {"attention", "gradient"});
  ASSERT_EQ(defined.pairs.size(), 2U);
  EXPECT_EQ(defined.pairs[1]->row, 3);
  EXPECT_EQ(n_text(defined),
            "n = 2 of 4 pairs, left out: 1 whose attention is the same in every bin, 1 whose "
            "attention is zero everywhere");
  attribution.without_dna.push_back(attribution.pairs[0]);
  attribution.pairs.erase(attribution.pairs.begin(), attribution.pairs.begin() + 3);
  EXPECT_EQ(n_text(defined_pairs(attribution, {"gradient"})),
            "n = 1 of 2 pairs, left out: 1 whose DNA is all zeros");
  attribution.without_dna.clear();
  EXPECT_EQ(n_text(defined_pairs(attribution, {"gradient"})), "n = 1 pair");
}

TEST(ReportWindowsTest, EveryFigureStatesItsN) {
  const Gnuplot gnuplot;
  ReportWorld world({.bins = 21}, mixed<21>);
  const Material& material = world.material();
  for (const auto draw : {distance_figure, overlap_figure, occlusion_figure}) {
    const Item item = draw(gnuplot, material);
    ASSERT_TRUE(std::holds_alternative<Figure>(item));
    const Figure& figure = std::get<Figure>(item);
    EXPECT_TRUE(holds(figure.finding, "n = 2 of 4 pairs, left out: ")) << figure.finding.code();
  }
  const AttributedPair& zeros = material.attribution->pairs[1];
  const AttributedPair& even = material.attribution->pairs[2];
  EXPECT_TRUE(holds(std::get<Figure>(window_figure(gnuplot, material, zeros)).finding,
                    "Gradient has no peak: undefined, as the window is zero everywhere. "));
  EXPECT_TRUE(holds(std::get<Figure>(window_figure(gnuplot, material, even)).finding,
                    "Attention has no peak: undefined, as the window is the same in every bin. "));
}

TEST(ReportWindowsTest, WithoutAPeakThereIsNoFigureOfPeaks) {
  const Gnuplot gnuplot;
  ReportWorld world({}, [](std::size_t) { return 0.5; });
  for (const auto draw : {distance_figure, overlap_figure, occlusion_figure}) {
    const Item item = draw(gnuplot, world.material());
    ASSERT_TRUE(std::holds_alternative<Omission>(item));
    EXPECT_TRUE(holds(std::get<Omission>(item).reason, "n = 0 of 4 pairs, left out: 4 whose "));
  }
}

// The 20 bins with the highest scores are the top bins.
TEST(ReportWindowsTest, TopBinsAreNotShownWhereAllBinsAreTop) {
  const Gnuplot gnuplot;
  for (const std::int64_t bins : {20, 21}) {
    SCOPED_TRACE(bins);
    ReportWorld world({.bins = bins},
                      [](std::size_t i) { return 0.1 + static_cast<double>(i % 7); });
    const Material& material = world.material();
    for (const auto draw : {overlap_figure, enrichment_figure}) {
      const Item item = draw(gnuplot, material);
      ASSERT_EQ(std::holds_alternative<Omission>(item), bins == 20);
      if (bins > 20) continue;
      EXPECT_EQ(std::get<Omission>(item).reason.code(),
                "All 20 bins of a window are top bins, so their overlap shows nothing.");
    }
    const auto shown =
        std::get<Figure>(window_figure(gnuplot, material, material.attribution->pairs[0]));
    EXPECT_EQ(holds(shown.legend[0].text, "its top bins"), bins > 20);
    EXPECT_EQ(holds(shown.note, "All bins are top bins, so none is marked."), bins == 20);
    EXPECT_TRUE(holds(shown.finding, "Attention peaks at ")) << shown.finding.code();
  }
}

TEST(ReportWindowsTest, TheShownPairHasPeaksAndATrainedGene) {
  ReportWorld world({}, mixed<>);
  Material& material = world.material();
  std::vector<AttributedPair>& pairs = material.attribution->pairs;
  for (AttributedPair& pair : pairs) pair.beta = 1.0 + static_cast<double>(pair.row % 3);
  EXPECT_EQ(shown_pair(material).what,
            "The first of 2 equally strong effects among the 2 explained pairs with both peaks");
  pairs[0].untrained = true;
  EXPECT_EQ(shown_pair(material).what,
            "The only explained pair of a gene that was trained on with both peaks");
  EXPECT_EQ(shown_pair(material).pair->row, 3);
  // A trained gene takes precedence over a peak.
  pairs[3].untrained = true;
  EXPECT_EQ(shown_pair(material).what,
            "The strongest effect among the 2 explained pairs of a gene that was trained on");
  EXPECT_EQ(shown_pair(material).pair->row, 2);
  for (AttributedPair& pair : pairs) pair.untrained = true;
  const ShownPair shown = shown_pair(material);
  EXPECT_EQ(shown.what,
            "The first of 2 equally strong effects among the 2 explained pairs with both peaks");
  EXPECT_TRUE(holds(std::get<Figure>(window_figure(Gnuplot(), material, *shown.pair)).finding,
                    "The gene has no training pairs: this output was never trained. "));
}

TEST(ReportWindowsTest, WhatToWeigh) {
  ReportWorld world({}, mixed<>);
  Attribution& attribution = *world.material().attribution;
  std::vector<Html> points;
  weigh_windows(attribution, &points);
  ASSERT_EQ(points.size(), 4U);
  EXPECT_TRUE(holds(points[0], "In 1 explained pair the attention is the same in every bin: "));
  EXPECT_TRUE(holds(points[3], "In 1 explained pair the gradient is zero everywhere: "));
  attribution.pairs[1].untrained = true;
  points.clear();
  weigh_windows(attribution, &points);
  ASSERT_EQ(points.size(), 5U);
  EXPECT_TRUE(holds(points[4], "1 explained pair is of a gene without training pairs: "));
  ReportWorld ordinary({}, [](std::size_t i) { return 1.0 + static_cast<double>(i % 3); });
  points.clear();
  weigh_windows(*ordinary.material().attribution, &points);
  EXPECT_TRUE(points.empty());
}

}  // namespace
}  // namespace cdt

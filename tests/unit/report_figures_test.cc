// Every figure of a report for every kind of degenerate input: it is drawn or says why not, and its
// text claims no more than the data show.
#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <ostream>
#include <set>
#include <string>
#include <vector>

#include "apps/report/figures.h"
#include "apps/report/gnuplot.h"
#include "tests/support/input_error.h"
#include "tests/support/report_world.h"

namespace cdt {
namespace {

using test::ReportShape;
using test::ReportValues;
using test::ReportWorld;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

double ordinary(std::size_t i) { return 0.1 + 0.2 * static_cast<double>(i % 4); }

std::vector<Item> all_figures(const Gnuplot& gnuplot, const Material& material) {
  std::vector<Item> out;
  for (const auto draw : {score_figure, prediction_figure, training_figure, distance_figure,
                          overlap_figure, enrichment_figure, heads_figure, maps_figure,
                          paths_figure, occlusion_figure, truth_figure}) {
    out.push_back(draw(gnuplot, material));
  }
  out.push_back(window_figure(gnuplot, material, *shown_pair(material).pair));
  return out;
}

/// The texts of a picture: ticks, labels, titles.
std::set<std::string> texts_of(const Figure& figure) {
  const std::string& code = figure.picture.code();
  std::set<std::string> out;
  for (std::size_t at = 0; (at = code.find("<text>", at)) != std::string::npos; ++at) {
    const std::size_t begin = at + 6;
    std::string text = code.substr(begin, code.find("</text>", begin) - begin);
    text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
    out.insert(text);
  }
  return out;
}

/// What is undefined is no number.
void expect_numbers(const std::string& code) {
  for (const char* word : {"nan", "NaN", "inf,", "inf ", "-inf"}) {
    EXPECT_FALSE(holds(code, word)) << word << " in " << code.substr(0, 3000);
  }
}

void expect_sound(const Gnuplot& gnuplot, const Material& material) {
  for (const Item& item : all_figures(gnuplot, material)) {
    if (const auto* omission = std::get_if<Omission>(&item)) {
      EXPECT_FALSE(omission->reason.empty());
      continue;
    }
    const Figure& figure = std::get<Figure>(item);
    SCOPED_TRACE(figure.reading.code());
    const std::string& picture = figure.picture.code();
    EXPECT_TRUE(holds(picture, "class=\"wide\"") && holds(picture, "class=\"narrow\""));
    for (const std::string& code : {picture, figure.finding.code(), figure.details.code()}) {
      expect_numbers(code);
    }
  }
  const auto numbers = std::get<NumbersTable>(numbers_table(gnuplot, material));
  expect_numbers(numbers.table.code() + numbers.meaning.code());
}

struct Degenerate {
  const char* name;
  ReportShape shape;
  ReportValues value;
};

// NOLINTNEXTLINE(readability-identifier-naming): Google Test looks for this name
void PrintTo(const Degenerate& kind, std::ostream* out) { *out << kind.name; }

class ReportFormsTest : public testing::TestWithParam<Degenerate> {};

TEST_P(ReportFormsTest, EveryFigureIsDrawnOrSaysWhyNot) {
  ReportWorld world(GetParam().shape, GetParam().value);
  expect_sound(Gnuplot(), world.material());
}

std::vector<Degenerate> degenerates() {
  const auto half = [](std::size_t) { return 0.5; };
  return {{"Undefined", {}, [](std::size_t) { return std::nan(""); }},
          {"OneDefined", {}, [](std::size_t i) { return i == 1 ? 0.5 : std::nan(""); }},
          {"Infinite", {}, [](std::size_t i) { return i % 2 == 0 ? kInfinity : -kInfinity; }},
          {"Zero", {}, [](std::size_t) { return 0.0; }},
          {"Equal", {}, half},
          {"Huge", {}, [](std::size_t i) { return i % 2 == 0 ? 1e38 : -1e38; }},
          {"Tiny", {}, [](std::size_t i) { return 1e-42 * static_cast<double>(i % 3); }},
          {"OneBin", {.bins = 1}, ordinary},
          {"OneOfAll", {.bins = 1, .enhancers = 1, .genes = 1, .heads = 1, .epochs = 1}, ordinary},
          {"TwoBinsOneEnhancer", {.bins = 2, .enhancers = 1}, ordinary},
          {"OneGeneManyBins", {.bins = 25, .genes = 1, .heads = 9, .epochs = 40}, ordinary}};
}

INSTANTIATE_TEST_SUITE_P(All, ReportFormsTest, testing::ValuesIn(degenerates()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(ReportFiguresTest, NothingToDrawIsSaidInThePicture) {
  const Gnuplot gnuplot;
  ReportWorld world({}, ordinary);
  for (EpochRow& row : world.material().run.epochs) row.train_r = row.val_r = std::nan("");
  const auto figure = std::get<Figure>(training_figure(gnuplot, world.material()));
  EXPECT_EQ(texts_of(figure).count("no value is defined"), 1U);
  EXPECT_TRUE(holds(figure.finding.code(), "No epoch has a validation r")) << figure.finding.code();
}

TEST(ReportFiguresTest, TheNumberThatChoseTheBestEpochIsNamed) {
  ReportWorld world({}, ordinary);
  std::vector<EpochRow>& epochs = world.material().run.epochs;
  epochs.back().best = true;
  for (EpochRow& row : epochs) {
    row.monitor = "val_seen_loss";
    row.monitored = 0.25;
  }
  const auto figure = std::get<Figure>(training_figure(Gnuplot(), world.material()));
  EXPECT_TRUE(holds(figure.finding.code(), "chosen by validation loss of trained genes, 0.2500"))
      << figure.finding.code();
  EXPECT_TRUE(holds(figure.details.code(), "val_seen_loss")) << figure.details.code();
}

TEST(ReportFiguresTest, WholeNumbersHaveWholeTicks) {
  const Gnuplot gnuplot;
  ReportWorld world({.enhancers = 1, .genes = 1, .epochs = 2}, ordinary);
  for (EpochRow& row : world.material().run.epochs) row.train_loss = row.val_loss = 1000.0;
  for (EpochRow& row : world.material().run.epochs) row.train_r = row.val_r = 1000.0;
  const auto epochs = texts_of(std::get<Figure>(training_figure(gnuplot, world.material())));
  EXPECT_EQ(epochs.count("1") + epochs.count("2"), 2U);
  for (const char* half : {"0.5", "1.5", "2.5"}) EXPECT_EQ(epochs.count(half), 0U) << half;
  // Counts over one pair, and bins shared by two sets of 20 top bins.
  ReportWorld wide({.bins = 21, .enhancers = 1, .genes = 1}, ordinary);
  const auto shared = texts_of(std::get<Figure>(overlap_figure(gnuplot, wide.material())));
  EXPECT_EQ(shared.count("20"), 1U);
  for (const char* part : {"0.2", "0.5", "1.5", "2.5"}) EXPECT_EQ(shared.count(part), 0U) << part;
}

TEST(ReportFiguresTest, HeadsThatAreNotDrawnAreCounted) {
  const Gnuplot gnuplot;
  ReportWorld nine({.bins = 2, .heads = 9}, ordinary);
  const std::string finding =
      std::get<Figure>(heads_figure(gnuplot, nine.material())).finding.code();
  EXPECT_TRUE(holds(finding, "Only the first 8 of 9 heads are drawn. The sharpest of them "))
      << finding;
}

TEST(ReportFiguresTest, EachClassUnderAWindowHasItsOwnEntry) {
  constexpr int kClasses = 17;
  const Gnuplot gnuplot;
  const test::TempDir dir;
  ReportWorld world({}, ordinary);
  std::string bed = "chrM\t16000\t16010\tx\t0\t.\t1\t2\t0\tc0,c1\n";
  for (int c = 1; c < kClasses; ++c) {
    bed += "chrM\t16000\t16010\tx\t0\t.\t1\t2\t0\tc" + std::to_string(c) + "\n";
  }
  test::write_bytes(dir.path / "e.bed", bed);
  world.material().annotations.push_back(read_annotations(dir.path / "e.bed"));
  const auto figure = std::get<Figure>(
      window_figure(gnuplot, world.material(), *shown_pair(world.material()).pair));
  std::set<std::string> entries;
  for (const LegendEntry& entry : figure.legend) entries.insert(entry.text.code());
  EXPECT_EQ(entries.count("c1 (2), row 1"), 1U) << "an element of two classes is one of both";
  EXPECT_EQ(entries.count("c0 (1), row 2"), 1U);
  for (int c = 2; c < kClasses; ++c) {
    std::string entry = "c" + std::to_string(c);
    EXPECT_EQ(
        std::count_if(entries.begin(), entries.end(),
                      [&](const std::string& e) { return e.rfind(entry + " (1), ", 0) == 0; }),
        1)
        << entry;
  }
  EXPECT_EQ(texts_of(figure).count(std::to_string(kClasses)), 1U) << "a number at each row";
}

TEST(ReportFiguresTest, PeaksAreLociOnTheChromosome) {
  const Gnuplot gnuplot;
  ReportWorld world({}, ordinary);
  Material& material = world.material();
  const auto finding = [&] {
    return std::get<Figure>(window_figure(gnuplot, material, material.attribution->pairs[0]))
        .finding.code();
  };
  // The peak is bin 2 of a window whose bin 1 starts at 16,000.
  EXPECT_TRUE(holds(finding(), " chrM:16,129-16,256, ")) << finding();
  material.attribution->summary.chromosome_sizes = {{"chrM", 16200}};
  EXPECT_TRUE(holds(finding(), " chrM:16,129-16,200, ")) << finding();
  material.attribution->summary.chromosome_sizes = {{"chrM", 16100}};
  EXPECT_TRUE(holds(finding(), " no base of chrM, ")) << finding();
}

TEST(ReportFiguresTest, TheStrongestEffectIsOneOfThoseExplained) {
  ReportWorld world({}, [](std::size_t i) { return i == 2 ? -7.0 : static_cast<double>(i); });
  Material& material = world.material();
  Attribution& attribution = *material.attribution;
  const auto what = [&] { return shown_pair(material).what; };
  EXPECT_EQ(what(), "The strongest effect among the 4 explained pairs");
  EXPECT_EQ(shown_pair(material).pair->row, 2);
  attribution.pairs[0].beta = std::nan("");
  EXPECT_EQ(what(), "The strongest effect among the 3 measured of 4 explained pairs");
  attribution.pairs[0].beta = 7.0;
  EXPECT_EQ(what(), "The first of 2 equally strong effects among the 4 explained pairs");
  for (AttributedPair& pair : attribution.pairs) pair.beta = std::nan("");
  EXPECT_EQ(what(), "The first of 4 explained pairs, no effect being measured");
  material.pair = "E1:G0";
  EXPECT_EQ(what(), "The chosen pair");
  EXPECT_EQ(shown_pair(material).pair->row, 2);
  material.pair = "";
  attribution.without_dna.push_back(attribution.pairs.back());
  attribution.pairs.resize(1);
  EXPECT_EQ(what(), "The only explained pair with DNA");
}

}  // namespace
}  // namespace cdt

// Text of files in gnuplot's scripts: it stays text.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/report/gnuplot.h"
#include "apps/report/plot.h"
#include "apps/report/recorded.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr const char* kCommand = "x'\nsystem(\"touch /nowhere/ran\")\n#";

TEST(ReportScriptsTest, PlainTextHasNothingThatMeansSomethingToGnuplot) {
  EXPECT_EQ(plain(kCommand),
            "x??system(?touch /nowhere/ran?)?"
            "?");
  EXPECT_EQ(plain("a\\b\r\x1B`d`@e$f{g}\x7F" + std::string(1, '\0')), "a?b???d??e?f?g???");
  EXPECT_EQ(plain("r, 50 % of |x|: a_b-c (2)"), "r, 50 % of |x|: a_b-c (2)");
  EXPECT_EQ(plain("\u03b2\u2026\xE2\x80 \xFF"), "\u03b2\u2026?? ?");
  EXPECT_EQ(plain(plain("\"\u2026'")), "?\u2026?");
}

TEST(ReportScriptsTest, RowNamesAreText) {
  Plot ours(Canvas{});
  Plot theirs(Canvas{});
  ours.rows(
      {"x??system(?touch /nowhere/ran?)?"
       "?",
       "b"});
  theirs.rows({kCommand, "b"});
  EXPECT_EQ(theirs.script(), ours.script());
  const std::string& script = theirs.script();
  EXPECT_EQ(script.find("\nsystem"), std::string::npos);
  EXPECT_NE(script.find("set label 'x??system(?touch /nowhere/ran?)?"
                        "?' at "),
            std::string::npos);
}

TEST(ReportScriptsTest, ACommandIsOneLine) {
  EXPECT_THROW(Plot(Canvas{}).run(std::string("set title '") + kCommand + "'"), Error);
}

TEST(ReportScriptsTest, RecordedLabelsAreOurs) {
  const nlohmann::json control = {{"label", kCommand}, {"draws", 20}, {"pearson", 0.1}};
  nlohmann::json metrics = {
      {"baselines", {{"distance", {{"label", kCommand}}}, {"ridge", {{"label", kCommand}}}}},
      {"controls",
       {{"n", 7}, {"shuffled_dna", control}, {"mean_dna", control}, {"shuffled_genes", control}}}};
  const auto labels = [&] {
    std::string out;
    for (const BaselinePrediction& b : recorded_baselines(metrics)) out += b.label + ';';
    return out;
  };
  EXPECT_EQ(labels(), "distance;ridge;");
  metrics["baselines"]["ridge"]["label"] = "ridge without DNA";
  EXPECT_EQ(labels(), "distance;ridge without DNA;");
  metrics["baselines"].erase("distance");
  EXPECT_EQ(labels(), "ridge without DNA;");
  const auto controls = recorded_controls(metrics, "controls", 7);
  ASSERT_TRUE(controls && controls->shuffled_dna);
  EXPECT_EQ(controls->shuffled_dna->label, "DNA shuffled");
  EXPECT_EQ(controls->mean_dna.label, "mean window");
  EXPECT_EQ(controls->shuffled_genes.label, "gene rows shuffled");
}

}  // namespace
}  // namespace cdt

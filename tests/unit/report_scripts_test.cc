// Text from files in gnuplot's scripts stays text and is never executed.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/report/evaluated.h"
#include "apps/report/gnuplot.h"
#include "apps/report/picture.h"
#include "engine/error.h"
#include "io/format/json_fields.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

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

/// A metrics.json in which every text that a page could show is a command.
nlohmann::ordered_json hostile_metrics() {
  Control control;
  control.label = kCommand;
  Controls controls;
  controls.shuffled_dna = control;
  controls.mean_dna = controls.shuffled_genes = control;
  nlohmann::ordered_json json = {
      {"format", "cdt-metrics"}, {"version", 4}, {"split", "val"}, {"data", "d"}, {"model", "m"}};
  json["fingerprint"] = fields_json(Fingerprint{"1", "2"});
  json["trained_on_these_pairs"] = nullptr;
  json["predictions"] = {{"digest", "3"}};
  json["classification"] = {{"positives", 1}, {"beta_below", -0.5}};
  json["by_distance"] = fields_json(ByDistance{"ridge", 0, {}});
  json["baselines"] = {{"fitted_on", "train"},
                       {"ridge", {{"label", kCommand}}},
                       {"distance", {{"label", kCommand}}},
                       {kCommand, {{"label", kCommand}}}};
  json["controls"] = fields_json(controls);
  json["tested"] = {{"n", 0}};
  return json;
}

TEST(ReportScriptsTest, RecordedLabelsAreOurs) {
  const test::TempDir dir;
  const auto read = [&](const nlohmann::ordered_json& json) {
    test::write_bytes(dir.path / "metrics.json", json.dump());
    return read_metrics(dir.path);
  };
  nlohmann::ordered_json json = hostile_metrics();
  const RecordedMetrics metrics = read(json);
  std::string labels;
  for (const BaselinePrediction& b : recorded_baselines(metrics)) labels += b.label + ';';
  EXPECT_EQ(labels, "distance;ridge;");
  EXPECT_EQ(metrics.positives->below, -0.5);
  EXPECT_EQ(metrics.controls->shuffled_dna->label, "DNA shuffled");
  EXPECT_EQ(metrics.controls->mean_dna.label, "mean window");
  EXPECT_EQ(metrics.controls->shuffled_genes.label, "gene rows shuffled");
  json["by_distance"]["baseline"] = kCommand;
  test::expect_message(test::input_error([&] { read(json); }), dir.path / "metrics.json",
                       "by_distance.baseline", "no such baseline");
  json["version"] = 2;
  test::expect_message(test::input_error([&] { read(json); }), dir.path / "metrics.json", "format",
                       "is version 2; run cdt-predict again: cdt-predict --data d --model m "
                       "--split val --out " +
                           dir.path.string());
}

}  // namespace
}  // namespace cdt

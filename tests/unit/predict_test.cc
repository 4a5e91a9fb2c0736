// Evaluation and its JSON.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/evaluation/evaluation.h"
#include "io/format/json.h"
#include "tests/support/evaluated.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::kTrain;
using test::kVal;
using test::pair;

const std::vector<std::int32_t> kLoci{0, 1, 2, 3};  // one per enhancer

TEST(EvaluationTest, JsonHoldsModelAndBaselines) {
  const std::vector<float> predictions{-2.0F, 0.0F, -1.25F, -1.0F};
  Evaluation e = test::evaluated(kVal, predictions, kTrain, 0.96, 200);
  e.split = "val";
  const nlohmann::json json = nlohmann::json::parse(metrics_json(e));
  EXPECT_EQ(json["n"], 4);
  EXPECT_EQ(json["enhancers"], 3);
  EXPECT_EQ(json["genes"], 3);
  const double r = json["pearson"]["value"];
  EXPECT_NEAR(
      r, compute_metrics(predictions, std::vector<float>{-2.5F, 0.25F, -1.0F, -1.5F}).pearson, 0.0);
  EXPECT_EQ(json["share_of_ceiling"].get<double>(), r / 0.96);
  EXPECT_LE(json["pearson"]["interval_95"][0].get<double>(), r);
  EXPECT_GE(json["pearson"]["interval_95"][1].get<double>(), r);
  const nlohmann::json& global = json["baselines"]["global_mean"];
  EXPECT_TRUE(global["pearson"]["value"].is_null());
  EXPECT_TRUE(global["pearson"]["interval_95"][0].is_null());
  EXPECT_TRUE(global.contains("note"));
  EXPECT_TRUE(global["mse"].is_number());
  EXPECT_FALSE(json["baselines"]["gene_mean"].contains("note"));
  EXPECT_EQ(json["baselines"]["pairs_without_gene_mean"], 1);
  EXPECT_EQ(json["also_in_train"]["enhancer"]["share"], 0.25);
  EXPECT_EQ(json["also_in_train"]["locus"]["pairs"], 1);
  EXPECT_EQ(json["also_in_train"]["gene"]["pairs"], 3);
  EXPECT_EQ(json["also_in_train"]["pair"]["pairs"], 1);
  EXPECT_EQ(json["by_gene"]["seen"]["n"], 3);
  EXPECT_EQ(json["by_gene"]["unseen"]["n"], 1);
  EXPECT_NE(summary_table(e).find("noise ceiling r 0.9600"), std::string::npos);
}

TEST(EvaluationTest, JsonTellsGenesFromEnhancers) {
  std::vector<Pair> pairs = kVal;
  for (Pair& p : pairs) p.label = p.beta < -1.0F ? 1 : 0;
  const std::vector<float> predictions{-2.0F, 0.0F, -1.25F, -1.0F};
  const Evaluation e = test::evaluated(pairs, predictions, kTrain, 0.96, 200);
  const nlohmann::json json = nlohmann::json::parse(metrics_json(e));
  EXPECT_EQ(json["version"], 4);
  // Gene 0 and enhancer 2 have two pairs each; a mean per gene knows nothing within a gene.
  EXPECT_EQ(json["within_genes"]["n"], 2);
  EXPECT_EQ(json["within_genes"]["genes"], 1);
  EXPECT_EQ(json["within_genes"]["pearson"]["value"], 1.0);
  EXPECT_EQ(json["within_enhancers"]["enhancers"], 1);
  EXPECT_TRUE(json["baselines"]["gene_mean"]["within_genes"]["pearson"]["value"].is_null());
  EXPECT_EQ(json["baselines"]["gene_mean"]["within_enhancers"]["pearson"]["value"], 1.0);
  EXPECT_TRUE(json["calibration_slope"]["value"].is_number());
  EXPECT_TRUE(json["baselines"]["global_mean"]["calibration_slope"]["value"].is_null());
  // Positives: -2.5 and -1.5, which the predictions -2 and -1 rank first and third.
  const nlohmann::json& c = json["classification"];
  EXPECT_EQ(c["positives"], 2);
  EXPECT_TRUE(c["beta_below"].is_null());
  EXPECT_EQ(c["prevalence"]["value"], 0.5);
  EXPECT_DOUBLE_EQ(c["auprc"]["value"].get<double>(), (1.0 + 2.0 / 3.0) / 2.0);
  EXPECT_EQ(c["auroc"]["value"], 0.75);
  for (const BaselineScore& b : e.baselines) {
    const nlohmann::json& entry = json["baselines"][b.name];
    const double r =
        entry["pearson"]["value"].is_null() ? 0.0 : entry["pearson"]["value"].get<double>();
    EXPECT_NEAR(entry["difference"]["value"].get<double>(),
                json["pearson"]["value"].get<double>() - r, 1e-15);
    EXPECT_NEAR(entry["classification"]["difference"]["auroc"]["value"].get<double>(),
                0.75 - entry["classification"]["auroc"]["value"].get<double>(), 1e-15);
  }
  EXPECT_EQ(json["baselines"][json["strongest_baseline"].get<std::string>()]["difference"],
            json["pearson_gain_over_strongest_baseline"]["difference"]);
  EXPECT_NE(summary_table(e).find("positives, label 1: 2 of 4 pairs (50.0 %)"), std::string::npos);
}

TEST(EvaluationTest, NothingSaysWhatIsPositive) {
  const Evaluation e = test::evaluated(kVal, {-2.0F, 0.0F, -1.25F, -1.0F}, kTrain, 0.96, 200);
  const nlohmann::json json = nlohmann::json::parse(metrics_json(e));
  EXPECT_TRUE(json["classification"].is_null());
  EXPECT_FALSE(json["baselines"]["gene_mean"].contains("classification"));
  EXPECT_FALSE(json.contains("by_distance"));
  EXPECT_EQ(summary_table(e).find("AUPRC"), std::string::npos);
}

TEST(ReplicateTest, ComparesThePairsOfBothScreens) {
  const Screen screen{{{1, 0, 0}, -2.0F}, {{2, 1, 0}, 0.0F}, {{2, 0, 0}, -2.5F}, {{7, 7, 0}, 9.0F}};
  const std::vector<float> predictions{-2.0F, 0.0F, 5.0F, -1.0F};
  const auto r = compare_screens(kVal, predictions, screen, kLoci, {.replicates = 200});
  ASSERT_TRUE(r.has_value());
  EXPECT_EQ(r->pairs, 3);
  EXPECT_EQ(r->enhancers, 2);
  const std::vector<float> first{-2.5F, 0.25F, -1.5F};
  EXPECT_EQ(r->pearson.value,
            compute_metrics(std::vector<float>{-2.0F, 0.0F, -2.5F}, first).pearson);
  EXPECT_EQ(r->model_pearson,
            compute_metrics(std::vector<float>{-2.0F, 0.0F, -1.0F}, first).pearson);
  EXPECT_DOUBLE_EQ(r->share(), r->model_pearson / r->pearson.value);
  EXPECT_DOUBLE_EQ(r->corrected(), r->model_pearson / std::sqrt(r->pearson.value));
  EXPECT_LE(r->pearson.interval.low, r->pearson.interval.high);
}

TEST(ReplicateTest, TooFewPairsAndScreensThatDisagree) {
  const std::vector<float> predictions(4);
  const BootstrapOptions bootstrap{.replicates = 100};
  const Screen two{{{1, 0, 0}, -2.0F}, {{2, 1, 0}, 0.0F}};
  EXPECT_FALSE(compare_screens(kVal, predictions, two, kLoci, bootstrap).has_value());
  const Screen opposite{{{1, 0, 0}, 2.0F}, {{2, 1, 0}, 0.0F}, {{2, 0, 0}, 1.0F}};
  const auto r = compare_screens(kVal, predictions, opposite, kLoci, bootstrap);
  ASSERT_TRUE(r.has_value());
  EXPECT_LT(r->pearson.value, 0.0);
  EXPECT_TRUE(std::isnan(r->corrected()));
}

/// Rows of other pairs may hold anything; rows of the split's pairs are read strictly.
TEST(ReplicateTest, OnlyRowsOfTheSplitAreRead) {
  const test::TempDir dir;
  const std::filesystem::path file = dir.path / "screen.tsv";
  const std::vector<Pair> pairs{pair(0, 0, 1.0F), pair(1, 1, 2.0F)};
  test::write_small_dataset(dir.path / "data", pairs);
  const Dataset data(dir.path / "data");
  const std::string head = "gene\tenhancer\tbeta\tnote\n";
  test::write_bytes(file, head +
                              "A\tE0\t1e-400\tx\nA\tE9\tNA\t\nZ\tE0\t\t\nB\tE0\tinf\t\n"
                              "B\tE0\t#N/A\t\nB\tE1\t-3\t\n\n");
  const ScreenFile read = read_replicate(file, data, pairs);
  EXPECT_EQ(read.effects, (Screen{{{0, 0, 0}, 0.0F}, {{1, 1, 0}, -3.0F}}));
  EXPECT_EQ(read.skipped(file),
            file.string() +
                ": 4 of 6 rows are not of this split and are skipped: 1 of other enhancers, 1 of "
                "other genes, 2 of other pairs");
  const auto complaint = [&](const std::string& rows) {
    test::write_bytes(file, head + rows);
    return test::input_error([&] { read_replicate(file, data, pairs); });
  };
  test::expect_message(complaint("A\tE0\tNA\t\n"), file, "line 2, column beta", "got NA");
  test::expect_message(complaint("A\tE0\t1e40\t\n"), file, "line 2, column beta", "too large");
  test::expect_message(complaint("A\tE0\t1\t\nA\tE0\t1\t\n"), file, "line 3, column enhancer",
                       "twice");
  test::expect_message(complaint("A\tE1\t1\t\n"), file, "rows", "none of 1");
}

TEST(EvaluationTest, ConstantEffectsAreSaidAndNothingIsNan) {
  std::vector<Pair> pairs = kVal;
  for (Pair& p : pairs) p.beta = 0.5F;
  Evaluation e = test::evaluated(pairs, {1, 2, 3, 4}, kTrain, 0.9, 100);
  e.replicate.emplace();
  e.replicate->pearson.value = 0.5;
  e.replicate->model_pearson = std::numeric_limits<double>::quiet_NaN();
  const std::string table = summary_table(e);
  EXPECT_NE(table.find("undefined for the model, global mean, "), std::string::npos) << table;
  EXPECT_NE(table.find(": all effects are equal\n"), std::string::npos);
  EXPECT_EQ(table.find("all predictions are equal"), std::string::npos) << table;
  EXPECT_EQ(table.find("nan"), std::string::npos) << table;
  const nlohmann::json json = nlohmann::json::parse(metrics_json(e));
  EXPECT_TRUE(json.contains("effects_note"));
  EXPECT_TRUE(json["pearson"]["value"].is_null());
  EXPECT_TRUE(json["r2"].is_null());
  EXPECT_TRUE(json["baselines"]["gene_mean"]["r2"].is_null());
  EXPECT_TRUE(json["mse"].is_number());
  Evaluation flat = test::evaluated(kVal, std::vector<float>(4, 1.0F), kTrain, 0.9, 100);
  EXPECT_NE(
      summary_table(flat).find("undefined for the model, global mean, model on trained genes"),
      std::string::npos);
  EXPECT_EQ(summary_table(flat).find("nan"), std::string::npos);
}

TEST(EvaluationTest, WithoutTruthOrTrainingPairs) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const Evaluation e = test::evaluated(kVal, {1, 2, 3, 4}, {}, none, 200);
  const nlohmann::json json = nlohmann::json::parse(metrics_json(e));
  EXPECT_FALSE(json.contains("noise_ceiling"));
  EXPECT_FALSE(json.contains("share_of_ceiling"));
  EXPECT_TRUE(json["baselines"].is_null());
  EXPECT_FALSE(json.contains("also_in_train"));
  EXPECT_NE(summary_table(e).find("no training pairs"), std::string::npos);
}

TEST(JsonTextTest, ShortestNumbersInTheirOrder) {
  const nlohmann::ordered_json value = {{"z", 0.1},
                                        {"a", {1, 2.5, nullptr}},
                                        {"s", "q\"\n\xFF"},
                                        {"n", std::numeric_limits<double>::infinity()},
                                        {"o", nlohmann::ordered_json::object()}};
  EXPECT_EQ(json_text(value),
            "{\n  \"z\": 0.1,\n  \"a\": [1, 2.5, null],\n  \"s\": \"q\\\"\\n\xEF\xBF\xBD\",\n"
            "  \"n\": null,\n  \"o\": {}\n}\n");
}

}  // namespace
}  // namespace cdt

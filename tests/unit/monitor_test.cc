// The validation number that steers training (--monitor).
#include "apps/train/monitor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/train/run_folder.h"
#include "io/format/json.h"
#include "tests/support/input_error.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::TrainRun;

/// Four val pairs of trained genes, of which the second and third are positive, and one of an
/// untrained gene.
std::vector<Pair> labelled_pairs() {
  std::vector<Pair> pairs = {{Split::kTrain, 0, 0, -0.1F, 0}, {Split::kTrain, 1, 1, 0.2F, 0},
                             {Split::kTrain, 2, 0, 0.1F, 1},  {Split::kVal, 0, 0, 0.1F, 0},
                             {Split::kVal, 1, 1, -0.4F, 1},   {Split::kVal, 2, 0, -0.2F, 1},
                             {Split::kVal, 3, 1, 0.3F, 0},    {Split::kVal, 4, 2, -0.9F, 1}};
  return pairs;
}

class MonitorTest : public TrainRun {
 protected:
  void SetUp() override {
    TrainRun::SetUp();
    test::write_small_dataset(data_dir, labelled_pairs());
  }
  double value(const std::string& kind, const std::vector<float>& predictions) {
    options.settings.monitor = kind;
    const Dataset data(data_dir);
    const ValidationParts parts(data.pairs_of(Split::kTrain), data.pairs_of(Split::kVal),
                                options.settings.steer_by);
    const Monitor monitor(options.settings, data, parts);
    name = monitor.name();
    better = monitor.better();
    return monitor.value(predictions, parts.measure(predictions));
  }
  std::string name;
  Better better = Better::kHigher;
};

TEST_F(MonitorTest, TheCorrelationIsThatOfTheSteeringPairs) {
  const std::vector<float> predictions = {0.1F, -0.4F, -0.2F, 0.3F, 9.0F};
  EXPECT_NEAR(value("pearson", predictions), 1.0, 1e-6);
  EXPECT_EQ(name, "val_seen_pearson");
  EXPECT_EQ(better, Better::kHigher);
  options.settings.steer_by = "all";
  EXPECT_LT(value("pearson", predictions), 0.0);
  EXPECT_EQ(name, "val_pearson");
}

TEST_F(MonitorTest, TheLossIsLowerTheBetter) {
  options.settings.batch_size = 4;
  // Errors 0.2, 0, 0 and 0 of the pairs of trained genes: 0.5 * 0.04 / 4.
  EXPECT_NEAR(value("loss", {0.3F, -0.4F, -0.2F, 0.3F, 9.0F}), 0.005, 1e-8);
  EXPECT_EQ(name, "val_seen_loss");
  EXPECT_EQ(better, Better::kLower);
}

TEST_F(MonitorTest, ThePrecisionRanksTheMostNegativePredictionFirst) {
  // Ranks of the positives: 1 and 3, so the average precision is (1 / 1 + 2 / 3) / 2.
  EXPECT_NEAR(value("auprc", {-0.5F, -0.9F, -0.4F, 0.3F, 9.0F}), (1.0 + 2.0 / 3.0) / 2.0, 1e-12);
  EXPECT_EQ(name, "val_seen_auprc");
  EXPECT_EQ(better, Better::kHigher);
  // By effect, only the second is below -0.3; it ranks first.
  options.settings.positive_below = -0.3;
  EXPECT_EQ(value("auprc", {-0.5F, -0.9F, -0.4F, 0.3F, 9.0F}), 1.0);
}

TEST_F(MonitorTest, WithoutPositivesOrLabelsThereIsNoPrecision) {
  options.settings.positive_below = -5.0;
  expect_message(input_error([&] { value("auprc", {}); }), data_dir / "pairs.tsv", "beta",
                 "expected some of each among 4 pairs, got 0 positive");
  options.settings.positive_below = TrainSettings{}.positive_below;
  std::vector<Pair> pairs = labelled_pairs();
  for (Pair& pair : pairs) pair.label = -1;
  std::filesystem::remove_all(data_dir);
  test::write_small_dataset(data_dir, pairs);
  expect_message(input_error([&] { value("auprc", {}); }), data_dir / "pairs.tsv", "label",
                 "there is no such column");
}

TEST_F(MonitorTest, ARunKeepsTheEpochOfTheLowestLoss) {
  options.settings.monitor = kMonitorLoss;
  options.settings.epochs = 6;
  options.settings.lr = 0.05;
  Run run(options, data_dir);
  const RunFolder folder(run_dir, false);
  run.trainer.run(folder);
  std::ifstream file(folder.metrics());
  double best = worst(Better::kLower);
  std::int64_t best_epoch = 0;
  for (std::string line; std::getline(file, line);) {
    const nlohmann::json epoch = parse_json(line, "line");
    EXPECT_EQ(epoch["monitor"]["name"], "val_seen_loss");
    const auto loss = epoch["monitor"]["value"].get<double>();
    EXPECT_EQ(epoch["best"].get<bool>(), loss < best);
    if (loss < best) best_epoch = epoch["epoch"].get<std::int64_t>();
    best = std::min(best, loss);
  }
  EXPECT_EQ(run.trainer.state().best_epoch, best_epoch);
  EXPECT_EQ(run.trainer.state().best_metric, best);
}

}  // namespace
}  // namespace cdt

// Validation metrics split by whether train has pairs of the gene, and which of them steer
// training.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/train/foreword.h"
#include "apps/train/validation.h"
#include "engine/backend.h"
#include "engine/optim/schedule.h"
#include "io/format/json.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

using test::TrainRun;

std::vector<Pair> pairs_of_genes(Split split, const std::vector<std::int32_t>& genes) {
  std::vector<Pair> out;
  for (const std::int32_t gene : genes) {
    const auto i = static_cast<std::int32_t>(out.size());
    out.push_back({split, i % 5, gene, 0.1F * static_cast<float>(i * i % 7) - 0.2F, -1});
  }
  return out;
}

const std::vector<Pair> kTrain = pairs_of_genes(Split::kTrain, {0, 1, 0, 1, 1, 0, 0, 1, 0});

TEST(ValidationParts, PairsOfGenesWithoutTrainingPairsAreMeasuredApart) {
  const std::vector<Pair> val = pairs_of_genes(Split::kVal, {2, 0, 1, 4, 2, 1, 0});
  const ValidationParts parts(kTrain, val, "seen");
  EXPECT_EQ(parts.unseen_pairs(), 3);
  EXPECT_EQ(parts.unseen_genes(), 2);
  EXPECT_TRUE(parts.leaves_out_unseen());
  EXPECT_EQ(parts.steering_effects(),
            std::vector<float>({val[1].beta, val[2].beta, val[5].beta, val[6].beta}));
  std::vector<float> predictions;
  for (const Pair& pair : val) predictions.push_back(pair.gene < 2 ? 2.0F * pair.beta : 9.0F);
  predictions[0] = -9.0F;
  const ValidationMetrics m = parts.measure(predictions);
  EXPECT_EQ(m.all.n, 7);
  EXPECT_EQ(m.seen.n, 4);
  EXPECT_EQ(m.unseen.n, 3);
  EXPECT_NEAR(m.seen.pearson, 1.0, 1e-6);
  EXPECT_LT(m.all.pearson, 0.9);
  EXPECT_EQ(m.steering_r, m.seen.pearson);
  EXPECT_EQ(ValidationParts(kTrain, val, "all").measure(predictions).steering_r, m.all.pearson);
  const nlohmann::json fields = parse_json(json_line(seen_and_unseen_json(m)), "line");
  EXPECT_EQ(fields.at("val_seen_pearson"), m.seen.pearson);
  EXPECT_EQ(fields.at("val_seen_r2"), m.seen.r2);
  EXPECT_EQ(fields.at("val_unseen_pearson"), m.unseen.pearson);
  EXPECT_EQ(fields.at("val_unseen_r2"), m.unseen.r2);
  EXPECT_EQ(fields.at("val_pairs_of_unseen_genes"), 3);
}

TEST(ValidationParts, WhereAllGenesWereTrainedOnSeenIsAll) {
  const ValidationParts parts(kTrain, pairs_of_genes(Split::kVal, {1, 1, 0}), "seen");
  EXPECT_FALSE(parts.leaves_out_unseen());
  const ValidationMetrics m = parts.measure({0.3F, 0.1F, 0.7F});
  EXPECT_EQ(m.seen.pearson, m.all.pearson);
  EXPECT_EQ(m.steering_r, m.all.pearson);
  EXPECT_EQ(m.unseen.n, 0);
  EXPECT_NE(
      json_line(seen_and_unseen_json(m)).find("\"val_unseen_pearson\":null,\"val_unseen_r2\":null"),
      std::string::npos);
}

TEST(ValidationParts, OnePairAloneDoesNotSteer) {
  const ValidationParts parts(kTrain, pairs_of_genes(Split::kVal, {2, 2, 0, 2}), "seen");
  EXPECT_FALSE(parts.leaves_out_unseen());
  const ValidationMetrics m = parts.measure({0.3F, 0.1F, 0.7F, 0.2F});
  EXPECT_EQ(m.steering_r, m.all.pearson);
  EXPECT_TRUE(std::isnan(m.seen.pearson));
  EXPECT_TRUE(std::isnan(m.seen.r2));
}

/// Trains with the output of gene 2, which train lacks, scaled up; returns the lines of
/// metrics.jsonl and the state.
class Steering : public TrainRun {
 protected:
  std::vector<nlohmann::json> train(const std::string& steer_by, float wildness) {
    options.settings.steer_by = steer_by;
    // Long enough for the rate to fall and for the run to stop then, whatever the masks.
    options.settings.epochs = 200;
    options.settings.lr = 3e-2;
    options.settings.patience = 25;
    std::vector<Pair> pairs = kTrain;
    const std::vector<Pair> val = pairs_of_genes(Split::kVal, {2, 0, 2, 1, 1, 0, 2});
    pairs.insert(pairs.end(), val.begin(), val.end());
    std::filesystem::remove_all(data_dir);
    std::filesystem::remove_all(run_dir);
    const auto run = make(pairs);
    const Var weight = run->model.head.last.weight;
    std::vector<float> values = to_host(*run->backend, weight->value);
    const std::size_t width = values.size() / 3;
    for (std::size_t i = 2 * width; i < 3 * width; ++i) values[i] *= wildness;
    run->model.set(weight, values.data());
    run->trainer.run(RunFolder(run_dir, false));
    state = run->trainer.state();
    std::ifstream file(run_dir / "metrics.jsonl");
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(parse_json(line, "metrics"));
    return lines;
  }

  /// Expects the schedule and the best epoch of a training that `field` of its lines steers.
  void expect_steered_by(const std::vector<nlohmann::json>& lines, const char* field) const {
    ReduceLrOnPlateau schedule;
    schedule.lr = options.settings.lr;
    double best = -std::numeric_limits<double>::infinity();
    std::int64_t best_epoch = 0;
    for (const nlohmann::json& line : lines) {
      const double r = line.at(field);
      EXPECT_EQ(line.at("lr"), schedule.lr);
      schedule.step(r);
      EXPECT_EQ(line.at("best"), r > best);
      if (r > best) best_epoch = line.at("epoch");
      best = std::max(best, r);
    }
    EXPECT_EQ(state.best_epoch, best_epoch);
    EXPECT_EQ(state.best_metric, best);
    EXPECT_EQ(state.schedule.bad_epochs, schedule.bad_epochs);
    EXPECT_LE(state.stopping.best, best);
  }

  TrainState state;
};

TEST_F(Steering, ScheduleBestModelAndStoppingFollowTheSeenPairs) {
  const std::vector<nlohmann::json> lines = train("seen", 1000.0F);
  expect_steered_by(lines, "val_seen_pearson");
  for (const nlohmann::json& line : lines) {
    EXPECT_NE(line.at("val_seen_pearson"), line.at("val_pearson"));
  }
  EXPECT_LT(state.schedule.lr, options.settings.lr);
  EXPECT_TRUE(state.stopped);
  // Another output for an untrained gene changes nothing that matters.
  const TrainState wild = state;
  train("seen", 1.0F);
  EXPECT_EQ(state.best_epoch, wild.best_epoch);
  EXPECT_EQ(state.best_metric, wild.best_metric);
  EXPECT_EQ(state.schedule.lr, wild.schedule.lr);
  EXPECT_EQ(state.epoch, wild.epoch);
}

TEST_F(Steering, OrAllPairsWhereThatIsWanted) {
  expect_steered_by(train("all", 1000.0F), "val_pearson");
}

TEST_F(Steering, PairsOfGenesWithoutTrainingPairsAreCountedAloud) {
  test::write_small_dataset(data_dir, kTrain);
  Dataset data(data_dir);
  TrainSettings settings;
  const auto said = [&](const std::vector<std::int32_t>& genes) {
    data.pairs = kTrain;
    const std::vector<Pair> val = pairs_of_genes(Split::kVal, genes);
    data.pairs.insert(data.pairs.end(), val.begin(), val.end());
    ::testing::internal::CaptureStderr();
    warn_about_pairs(data, ValidationParts(kTrain, val, settings.steer_by), settings);
    return ::testing::internal::GetCapturedStderr();
  };
  EXPECT_NE(
      said({0, 2, 1, 0, 2})
          .find("pairs.tsv: gene: 2 of 5 val pairs are of 1 gene without "
                "training pairs; they do not steer training (--steer-by all includes them)\n"),
      std::string::npos);
  EXPECT_NE(said({0, 2, 2, 2})
                .find("3 of 4 val pairs are of 1 gene without training pairs; all "
                      "steer training, since the others are too few\n"),
            std::string::npos);
  EXPECT_EQ(said({0, 1, 0, 0}).find("without training pairs"), std::string::npos);
  // Two pairs always correlate perfectly, so two alone cannot steer.
  EXPECT_NE(said({0, 0, 2}).find("all steer training, since the others are too few\n"),
            std::string::npos);
  settings.steer_by = "all";
  EXPECT_NE(said({0, 2, 1, 0, 2, 1}).find("they steer training like the others (--steer-by all)\n"),
            std::string::npos);
}

}  // namespace
}  // namespace cdt

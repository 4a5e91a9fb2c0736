// What the loss of cdt-train compares: targets (--label-transform) and weights of pairs
// (--pair-weights), and what a model file records of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "apps/common/predictions.h"
#include "apps/train/pair_weights.h"
#include "apps/train/state.h"
#include "apps/train/target_transform.h"
#include "apps/train/validation.h"
#include "model/stats/statistics.h"
#include "tests/support/input_error.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using test::expect_message;
using test::input_error;

class TrainTargets : public test::TrainRun {};

TEST_F(TrainTargets, ScaledOutputsArePredictionsInUnitsOfEffects) {
  options.settings.label_transform = kScaleLabels;
  options.settings.max_steps = 1;
  const auto run = make(pairs);
  const double scale = run->trainer.targets().units().scale;
  std::vector<double> effects;
  for (const Pair& pair : pairs) {
    if (pair.split == Split::kTrain) effects.push_back(pair.beta);
  }
  EXPECT_EQ(scale, standard_deviation(effects));
  const RunFolder folder(run_dir, false);
  run->trainer.run(folder);
  const SafetensorsReader file(folder.best_model());
  EXPECT_EQ(read_output_units(file).scale, scale);
  // The model as other programs load it predicts the effects that validation saw.
  const CdtConfig config = read_model_config(file, {});
  const auto backend = test::make_test_backend();  // steps are recorded by name
  Arena lasting(*backend, "lasting"), step(*backend, "step"), scratch(*backend, "scratch"),
      constants(*backend, "constants");
  const std::unique_ptr<Cdt> loaded = load_model(file, config, *backend, lasting);
  Tape tape(*backend, step, scratch);
  tape.eval();
  DnaFeed feed(run->data, *backend, lasting, 1);
  const std::vector<Pair> val = run->data.pairs_of(Split::kVal);
  const std::vector<Context> contexts = distinct_contexts(val);
  const std::vector<float> window(static_cast<std::size_t>(run->data.bins * run->data.dna_dim));
  const auto passes = validation_passes({*loaded, tape, constants, feed, run->data}, contexts,
                                        window, 0, [] { return true; });
  ASSERT_TRUE(passes.has_value());
  const std::vector<float> effects_there = column(val, &Pair::beta);
  const Metrics metrics = compute_metrics(passes->real.of(val), effects_there);
  const nlohmann::json line = lines(run_dir).at(0);
  const double bound = std::max(1e-5, 16.0 * run->backend->product_unit());
  EXPECT_NEAR(line["val_mse"].get<double>() / metrics.mse, 1.0, bound);
}

/// By hand: effects 1, 2, 3, 4 have the variance 5/3.
TEST_F(TrainTargets, WeightsByStandardError) {
  pairs.clear();
  for (std::int32_t i = 0; i < 4; ++i) {
    Pair pair{Split::kTrain, i, 0, static_cast<float>(i + 1), -1};
    pair.se = i == 0 ? 2.0F : 0.5F;
    pairs.push_back(pair);
  }
  pairs.push_back({Split::kVal, 4, 1, 9.0F, -1, 0, 7.0F});
  test::write_small_dataset(data_dir, pairs);
  options.settings.pair_weights = kWeightsBySe;
  const PairWeights weights(options.settings, Dataset(data_dir));
  const double tau_squared = 5.0 / 3.0 - (4.0 + 3 * 0.25) / 4.0;
  const double light = 1.0 / (4.0 + tau_squared), heavy = 1.0 / (0.25 + tau_squared);
  const double mean = (light + 3 * heavy) / 4.0;
  EXPECT_TRUE(weights.enabled());
  EXPECT_NEAR(weights.of(pairs[0]), light / mean, 1e-6);
  EXPECT_NEAR(weights.of(pairs[3]), heavy / mean, 1e-6);
  // The floor of tau^2: a tenth of the variance.
  for (Pair& pair : pairs) pair.se *= 10.0F;
  fs::remove_all(data_dir);
  test::write_small_dataset(data_dir, pairs);
  const PairWeights floored(options.settings, Dataset(data_dir));
  EXPECT_NEAR(floored.of(pairs[1]) / floored.of(pairs[0]), (400.0 + 1.0 / 6) / (25.0 + 1.0 / 6),
              1e-4);
  for (Pair& pair : pairs) pair.se = 0.0F;
  fs::remove_all(data_dir);
  test::write_small_dataset(data_dir, pairs);
  expect_message(input_error([&] { PairWeights(options.settings, Dataset(data_dir)); }),
                 data_dir / "pairs.tsv", "se", "--pair-weights se needs it");
  options.settings.pair_weights = "none";
  const PairWeights none(options.settings, Dataset(data_dir));
  EXPECT_FALSE(none.enabled());
  EXPECT_EQ(none.of(pairs[0]), 1.0F);
}

/// The fingerprint of a run covers standard errors only if they count.
TEST_F(TrainTargets, OtherStandardErrorsAreOtherData) {
  for (Pair& pair : pairs) pair.se = 0.5F;
  test::write_small_dataset(data_dir, pairs);
  const Dataset data(data_dir);
  RunFacts facts;
  facts.fingerprint = data_fingerprint(data, {.errors = true});
  pairs[0].se = 0.75F;
  test::write_small_dataset(dir.path / "other", pairs);
  const Dataset other(dir.path / "other");
  expect_message(input_error([&] { check_same_data(facts, other, "state"); }),
                 (dir.path / "other").string(), "standard_errors", "is not what");
  facts.fingerprint = data_fingerprint(data);
  check_same_data(facts, other, "state");
}

TEST(TargetTransform, FollowsTheTrainingEffects) {
  std::vector<Pair> train;
  for (const float effect : {0.5F, -1.0F, 0.0F, 0.0F, 2.0F}) {
    train.push_back({Split::kTrain, 0, 0, effect});
  }
  TrainSettings settings;
  settings.label_transform = kScaleLabels;
  const TargetTransform scale(settings, train);
  const double deviation = std::sqrt((0.04 + 1.69 + 0.09 + 0.09 + 2.89) / 4.0);  // the mean is 0.3
  EXPECT_NEAR(scale.units().scale, deviation, 1e-12);
  EXPECT_NEAR(scale.target(3.0F), 3.0 / deviation, 1e-6);
  EXPECT_NEAR(scale.predictions({2.0F}).at(0), 2.0 * deviation, 1e-6);
  EXPECT_NEAR(scale.loss({3.0F}, {{Split::kVal, 0, 0, 3.2F}}, 8, 1.0),
              0.5 * 0.04 / (deviation * deviation), 1e-6);

  settings.label_transform = kClipLabels;
  settings.clip_share = 0.25;  // the quantiles are the second and fourth value
  const TargetTransform clip(settings, train);
  EXPECT_EQ(clip.target(-7.0F), 0.0F);
  EXPECT_EQ(clip.target(0.25F), 0.25F);
  EXPECT_EQ(clip.target(7.0F), 0.5F);
  EXPECT_EQ(clip.units().scale, 1.0);
  EXPECT_EQ(clip.predictions({2.0F}).at(0), 2.0F);

  settings.label_transform = kRankLabels;
  const TargetTransform rank(settings, train);
  EXPECT_TRUE(rank.units().ranks);
  EXPECT_NEAR(rank.target(-1.0F), -1.2815516, 1e-6);  // of 0.1
  EXPECT_NEAR(rank.target(0.0F), -0.2533471, 1e-6);   // of 0.4: the mean of 0.3 and 0.5
  EXPECT_NEAR(rank.target(0.5F), 0.5244005, 1e-6);    // of 0.7
  EXPECT_NEAR(rank.target(2.0F), 1.2815516, 1e-6);
  EXPECT_NEAR(rank.target(1.0F), 0.8416212, 1e-6);  // between two: of 0.8
  EXPECT_NEAR(rank.target(9.0F), 1.2815516, 1e-6);  // not beyond the ends
  EXPECT_NEAR(rank.target(-9.0F), -1.2815516, 1e-6);

  settings.label_transform = kScaleLabels;
  train.resize(1);
  EXPECT_EQ(TargetTransform(settings, train).units().scale, 1.0);
  EXPECT_EQ(TargetTransform(settings, {}).units().scale, 1.0);
  train.resize(5);
  for (Pair& pair : train) pair.beta = 1.0F;
  settings.label_transform = kScaleLabels;
  expect_message(input_error([&] { TargetTransform(settings, train); }), "command line",
                 "--label-transform", "which do not differ");
}

TEST_F(TrainTargets, RanksHaveCorrelationsOnly) {
  options.settings.label_transform = kRankLabels;
  train(run_dir);
  const nlohmann::json line = lines(run_dir).at(0);
  for (const char* name : {"train_r2", "train_mse", "val_mae", "val_r2", "val_seen_r2"}) {
    EXPECT_TRUE(line[name].is_null()) << name;
  }
  EXPECT_TRUE(line["train_pearson"].is_number());
  const SafetensorsReader file(run_dir / "model.safetensors");
  EXPECT_TRUE(read_output_units(file).ranks);
  EXPECT_EQ(read_output_units(file).scale, 1.0);
}

}  // namespace
}  // namespace cdt

// The parts of cdt-train: order of an epoch, losses, the state and the loop.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "apps/train/epoch_order.h"
#include "apps/train/foreword.h"
#include "apps/train/options.h"
#include "apps/train/run_folder.h"
#include "apps/train/state.h"
#include "apps/train/step.h"
#include "apps/train/trainer.h"
#include "apps/train/validation.h"
#include "engine/backend.h"
#include "io/format/safetensors.h"
#include "model/checkpoint.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_backend.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using test::default_pairs;
using test::expect_message;
using test::input_error;
using test::TrainRun;

// --- order and loss

TEST(EpochOrder, IsAPermutationOfItsSeedAndEpoch) {
  const std::vector<std::int32_t> order = epoch_order(1000, 3, 1);
  std::vector<std::int32_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::int32_t> all(1000);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_EQ(sorted, all);
  EXPECT_EQ(order, epoch_order(1000, 3, 1));
  EXPECT_NE(order, epoch_order(1000, 3, 2));
  EXPECT_NE(order, epoch_order(1000, 4, 1));
  EXPECT_EQ(epoch_order(1, 3, 1), std::vector<std::int32_t>{0});
}

TEST(EpochLoss, AShortLastBatchCountsLikeAFullOne) {
  std::vector<Pair> pairs(3);
  const std::vector<float> prediction = {1.0F, 0.0F, -3.0F};
  // Huber at delta 1: 0.5 and 0, then 2.5 alone in its batch.
  EXPECT_DOUBLE_EQ(epoch_loss(prediction, pairs, 2, 1.0), (0.25 + 2.5) / 2.0);
  EXPECT_DOUBLE_EQ(epoch_loss(prediction, pairs, 3, 1.0), 3.0 / 3.0);
  EXPECT_DOUBLE_EQ(epoch_loss({-3.0F}, {Pair{}}, 8, 2.0), 2.0 * (3.0 - 1.0));
}

// --- state and loop

TEST_F(TrainRun, WritesWhatTheRunDirectoryHolds) {
  const auto run = make(default_pairs());
  const RunFolder folder(run_dir, false);
  run->trainer.run(folder);
  EXPECT_EQ(run->trainer.state().epoch, 4);
  EXPECT_EQ(run->trainer.state().global_step, 12);  // 9 pairs, batches of 2, the rest dropped
  std::ifstream metrics(folder.metrics());
  std::string line;
  int epochs = 0;
  while (std::getline(metrics, line)) {
    ++epochs;
    for (const char* key :
         {"\"epoch\":", "\"step\":", "\"lr\":", "\"train_loss\":", "\"val_pearson\":",
          "\"val_r2\":", "\"val_spearman\":", "\"val_mse\":", "\"val_mae\":", "\"best\":",
          "\"seconds\":", "\"samples_per_second\":", "\"peak_memory_bytes\":"}) {
      EXPECT_NE(line.find(key), std::string::npos) << key << " in " << line;
    }
  }
  EXPECT_EQ(epochs, 3);
  EXPECT_TRUE(fs::exists(folder.best_model()));
  EXPECT_TRUE(fs::exists(folder.last_state()));
}

TEST_F(TrainRun, TakesTheMemoryThatWasPlanned) {
  const auto run = make(default_pairs());
  run->trainer.run(RunFolder(run_dir, false));
  EXPECT_EQ(run->plan.lasting(), run->lasting.peak());
  EXPECT_EQ(run->plan.activations, run->trainer.step_arena().peak());
  EXPECT_EQ(run->plan.scratch, run->trainer.scratch().peak());
  EXPECT_EQ(run->plan.trunks, run->trainer.trunks().peak());
}

TEST_F(TrainRun, StateComesBackFieldByField) {
  const auto run = make(default_pairs());
  Backend& backend = *run->backend;
  const std::vector<Var> variables = run->model.variables();
  Arena arena(backend, "moments");
  AdamW first(variables, backend, arena, {});
  AdamW second(variables, backend, arena, {});
  for (Parameter& p : run->model.parameters()) backend.fill(p.variable.grad, 0.25F);
  first.step(0.1, 1.0F);

  TrainState state;
  state.epoch = 2;
  state.position = 1;
  state.global_step = 5;
  state.schedule = {1.0 / 3.0, -std::numeric_limits<double>::infinity(), 1};
  state.stopping = {7, 0.1, 1};
  state.best_metric = 0.7;
  state.best_epoch = 1;
  state.best_weights = "0123456789abcdef";
  state.older_best_weights = "fedcba9876543210";
  state.loss_sum = 0.1 + 0.2;
  state.predictions = {0.1F, -0.0F};
  state.targets = {1e-40F, 2.0F};
  const fs::path file = dir.path / "state.safetensors";
  const RunFacts facts{"{}", "data", "cpu", data_fingerprint(run->data)};
  const std::string weights = weights_digest(run->model, backend);
  save_state(file, state, facts, {weights, "0123456789abcdef"}, run->model.parameters(), first,
             backend);

  TrainState back;
  const StateFrame frame{.steps = {4}, .batch = 2, .patience = 7, .weights = weights};
  load_state(file, frame, &back, run->model.parameters(), &second, backend);
  EXPECT_EQ(back.epoch, 2);
  EXPECT_EQ(back.position, 1);
  EXPECT_EQ(back.global_step, 5);
  EXPECT_EQ(back.schedule.lr, state.schedule.lr);
  EXPECT_EQ(back.schedule.best, state.schedule.best);
  EXPECT_EQ(back.schedule.bad_epochs, 1);
  EXPECT_EQ(back.stopping.patience, 7);
  EXPECT_EQ(back.stopping.best, 0.1);
  EXPECT_EQ(back.stopping.bad_epochs, 1);
  EXPECT_EQ(back.best_metric, 0.7);
  EXPECT_EQ(back.best_epoch, 1);
  EXPECT_EQ(back.best_weights, state.best_weights);
  EXPECT_EQ(back.older_best_weights, state.older_best_weights);
  EXPECT_EQ(back.loss_sum, state.loss_sum);
  EXPECT_EQ(back.predictions, state.predictions);
  EXPECT_EQ(back.targets, state.targets);
  EXPECT_EQ(second.steps(), 5);
  for (std::size_t i = 0; i < first.size(); ++i) {
    const std::vector<float> moment = to_host(backend, first.first_moment(i));
    EXPECT_EQ(to_host(backend, second.first_moment(i)), moment);
    EXPECT_EQ(to_host(backend, second.second_moment(i)), to_host(backend, first.second_moment(i)));
    EXPECT_NE(moment.front(), 0.0F);
  }
  const auto complaint = [&](const StateFrame& other) {
    return input_error(
        [&] { load_state(file, other, &back, run->model.parameters(), &second, backend); });
  };
  // If the number of steps per epoch differs, the counters do not fit together.
  StateFrame other = frame;
  other.steps.per_epoch = 3;
  expect_message(complaint(other), file, "metadata.global_step", "out of range");
  other = frame;
  other.patience = 8;
  expect_message(complaint(other), file, "metadata.stopping.patience", "out of range");
  // The weights beside the state are from another moment.
  other = frame;
  other.weights = state.best_weights;
  expect_message(complaint(other), file, "metadata.weights", "of another moment or run");
}

TEST_F(TrainRun, OtherDataAreRefusedByPart) {
  const auto run = make(default_pairs());
  const RunFacts facts{"{}", "data", "cpu", data_fingerprint(run->data)};
  check_same_data(facts, run->data, "state");
  std::vector<Pair> pairs = default_pairs();
  pairs[3].beta += 0.125F;
  test::write_small_dataset(dir.path / "other", pairs);
  const Dataset other(dir.path / "other");
  expect_message(input_error([&] { check_same_data(facts, other, "state"); }), dir.path / "other",
                 "pairs", "is not what state was trained on");
}

TEST_F(TrainRun, ResumedFromAnEpochEqualsStraight) {
  const auto straight = make(default_pairs());
  {
    const RunFolder folder(run_dir, false);
    straight->trainer.run(folder);
  }
  const fs::path other = dir.path / "other";
  options.settings.epochs = 1;
  {
    const RunFolder folder(other, false);
    Run(options, data_dir).trainer.run(folder);
  }
  options.settings.epochs = 3;
  Run rest(options, data_dir);
  const RunFolder folder(other, true);
  rest.trainer.restore(folder, read_parameters(SafetensorsReader(folder.last_model()), rest.model));
  rest.trainer.run(folder);
  for (const char* file : {"model.safetensors", "last/model.safetensors"}) {
    EXPECT_EQ(test::read_bytes(run_dir / file), test::read_bytes(other / file)) << file;
  }
}

TEST_F(TrainRun, ALossThatIsNotFiniteNamesItsPairsAndSavesNothing) {
  std::vector<Pair> pairs = default_pairs();
  for (Pair& pair : pairs) pair.beta = 3e38F;
  options.settings.huber_delta = 1e6;
  const auto run = make(pairs);
  const RunFolder folder(run_dir, false);
  run->trainer.save(folder);
  const std::string before = test::read_bytes(folder.last_state());
  try {
    run->trainer.run(folder);
    FAIL() << "trained on an infinite loss";
  } catch (const InputError& error) {
    FAIL() << error.what();
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_EQ(message.rfind("epoch 1 step 1: loss is inf; pairs E", 0), 0U) << message;
  }
  EXPECT_EQ(test::read_bytes(folder.last_state()), before);
}

TEST_F(TrainRun, DataThatCannotTrainAreRefused) {
  std::vector<Pair> pairs = default_pairs();
  for (Pair& pair : pairs) pair.split = Split::kTrain;
  expect_message(input_error([&] { make(pairs); }), data_dir / "pairs.tsv", "split",
                 "training needs val pairs");
  for (Pair& pair : pairs) pair.split = Split::kVal;
  pairs[0].split = Split::kTrain;
  fs::remove_all(data_dir);
  expect_message(input_error([&] { make(pairs); }), data_dir / "pairs.tsv", "split",
                 "expected at least 2, got 1");
}

TEST_F(TrainRun, AnUndefinedCorrelationStillLeavesABestModel) {
  std::vector<Pair> pairs = default_pairs();
  for (Pair& pair : pairs) pair.beta = -0.5F;  // constant targets: Pearson is NaN
  options.settings.epochs = 1;
  const auto run = make(pairs);
  const RunFolder folder(run_dir, false);
  run->trainer.run(folder);
  EXPECT_EQ(run->trainer.state().best_epoch, 1);
  EXPECT_TRUE(fs::exists(folder.best_model()));
  EXPECT_NE(test::read_bytes(folder.metrics()).find("\"val_pearson\":null"), std::string::npos);
}

}  // namespace
}  // namespace cdt

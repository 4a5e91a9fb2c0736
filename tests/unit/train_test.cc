// The parts of cdt-train: order of an epoch, losses, options, the run directory and its state.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "apps/common/model_file.h"
#include "apps/train/batches.h"
#include "apps/train/memory_plan.h"
#include "apps/train/options.h"
#include "apps/train/run_folder.h"
#include "apps/train/state.h"
#include "apps/train/trainer.h"
#include "apps/train/validate.h"
#include "io/text.h"
#include "model/in_float32.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_backend.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using test::expect_message;
using test::input_error;

// --- order and loss
// -------------------------------------------------------------------------------

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

// --- options
// --------------------------------------------------------------------------------------

TEST(TrainOptionsTest, StoredSettingsComeBack) {
  TrainOptions stored;
  stored.settings.lr = 3e-4;
  stored.settings.hidden = 24;
  stored.settings.variant = "paper";
  stored.settings.seed = 9;
  TrainOptions resumed;
  resumed.settings.epochs = 7;
  resumed.given = {"epochs"};
  adopt_stored_settings(settings_json(stored.settings), "state", &resumed);
  stored.settings.epochs = 7;  // the one that may change
  EXPECT_EQ(settings_json(resumed.settings), settings_json(stored.settings));
  EXPECT_EQ(resumed.common.seed, 9);
}

TEST(TrainOptionsTest, ChangedSettingsAreRefusedByName) {
  const std::string stored = settings_json(TrainSettings{});
  const auto complaint = [&](const std::string& name, auto TrainSettings::*member, auto value) {
    TrainOptions options;
    options.given = {name};
    options.settings.*member = value;
    return input_error([&] { adopt_stored_settings(stored, "state", &options); });
  };
  expect_message(complaint("lr", &TrainSettings::lr, 2e-4), "command line", "--lr",
                 "expected 1e-04, got 2e-04");
  expect_message(complaint("batch-size", &TrainSettings::batch_size, std::int64_t{4}),
                 "command line", "--batch-size", "expected 8, got 4");
  expect_message(complaint("variant", &TrainSettings::variant, "paper"), "command line",
                 "--variant", "expected released, got paper");
  expect_message(complaint("seed", &TrainSettings::seed, std::int64_t{1}), "command line", "--seed",
                 "expected 0, got 1");
  EXPECT_EQ(complaint("lr", &TrainSettings::lr, 1e-4), "");
}

TEST(TrainOptionsTest, SizesOfAStoredModelWinUnlessGiven) {
  CdtConfig config;
  config.hidden = 24;
  config.variant = Variant::kPaper;
  TrainOptions options;
  options.given = {"heads"};
  adopt_model_sizes(config, "m.safetensors", &options);
  EXPECT_EQ(options.settings.hidden, 24);
  EXPECT_EQ(options.settings.variant, "paper");
  options.settings.hidden = 48;
  options.given = {"hidden"};
  expect_message(input_error([&] { adopt_model_sizes(config, "m.safetensors", &options); }),
                 "command line", "--hidden", "expected 24, got 48");
}

// --- run directory
// --------------------------------------------------------------------------------

class RunFolderTest : public ::testing::Test {
 protected:
  static void put(const fs::path& folder, const std::string& content) {
    fs::create_directories(folder);
    test::write_bytes(folder / "file", content);
  }
  std::string last() const { return test::read_bytes(run_dir / "last" / "file"); }
  /// last/ after a start that finds what a killed process left.
  std::string repaired() const {
    const RunFolder folder(run_dir, true);
    EXPECT_FALSE(fs::exists(run_dir / "last.new"));
    EXPECT_FALSE(fs::exists(run_dir / "last.old"));
    return last();
  }
  test::TempDir dir;
  fs::path run_dir = dir.path / "run";
};

TEST_F(RunFolderTest, ReplacesLastWhole) {
  const RunFolder folder(run_dir, false);
  for (const std::string content : {"one", "two"}) {
    folder.replace_last([&](const fs::path& into) { put(into, content); });
    EXPECT_EQ(last(), content);
  }
  EXPECT_THROW(folder.replace_last([&](const fs::path& into) {
    put(into, "three");
    throw Error("disk full");
  }),
               Error);
  EXPECT_EQ(last(), "two");
  EXPECT_FALSE(fs::exists(run_dir / "last.new"));
}

TEST_F(RunFolderTest, RepairsAnyPointOfAKill) {
  put(run_dir / "last", "old");
  put(run_dir / "last.new", "torn");
  EXPECT_EQ(repaired(), "old");  // while last.new was written

  fs::rename(run_dir / "last", run_dir / "last.old");
  put(run_dir / "last.new", "new");
  EXPECT_EQ(repaired(), "new");  // between the renames

  put(run_dir / "last.old", "old");
  EXPECT_EQ(repaired(), "new");  // before last.old was removed
}

TEST_F(RunFolderTest, RefusesASecondTrainerAndAWrittenFolder) {
  {
    const RunFolder folder(run_dir, false);
    expect_message(input_error([&] { RunFolder(run_dir, false); }), run_dir, "lock",
                   "another cdt-train");
    folder.append_metrics("{}");
  }
  expect_message(input_error([&] { RunFolder(run_dir, false); }), run_dir, "--out",
                 "already holds a run");
  expect_message(input_error([&] { RunFolder(run_dir, true); }), run_dir, "--resume",
                 "no run to resume");
  const fs::path nowhere = dir.path / "nowhere";
  expect_message(input_error([&] { RunFolder(nowhere, true); }), nowhere, "--resume",
                 "no run to resume");
  EXPECT_FALSE(fs::exists(nowhere));
}

TEST_F(RunFolderTest, CutsMetricsAfterTheLastFinishedEpoch) {
  const RunFolder folder(run_dir, false);
  folder.keep_metrics(0);
  folder.append_metrics("{\"epoch\":1}");
  folder.append_metrics("{\"epoch\":2}");
  std::ofstream(folder.metrics(), std::ios::app) << "{\"epo";
  folder.keep_metrics(2);
  EXPECT_EQ(test::read_bytes(folder.metrics()), "{\"epoch\":1}\n{\"epoch\":2}\n");
  folder.keep_metrics(1);
  EXPECT_EQ(test::read_bytes(folder.metrics()), "{\"epoch\":1}\n");
  expect_message(input_error([&] { folder.keep_metrics(2); }), folder.metrics(), "lines",
                 "expected 2, got 1");
}

// --- state and loop
// -------------------------------------------------------------------------------

std::vector<Pair> default_pairs() {
  std::vector<Pair> pairs;
  for (std::int32_t i = 0; i < 12; ++i) {
    const Split split = i < 9 ? Split::kTrain : Split::kVal;
    pairs.push_back({split, i % 5, i % 3, 0.1F * static_cast<float>(i % 4) - 0.2F, -1});
  }
  return pairs;
}

class TrainRun : public ::testing::Test {
 protected:
  void SetUp() override {
    options.settings = {.epochs = 3,
                        .batch_size = 2,
                        .lr = 1e-2,
                        .dropout = 0.1,
                        .hidden = 8,
                        .heads = 2,
                        .pool_heads = 2,
                        .feed_forward = 6,
                        .fusion = 5,
                        .dna_layers = 1};
    options.common.quiet = true;
  }
  /// Everything a run needs, in the order train.cc makes it.
  struct Run {
    Run(const TrainOptions& options, const fs::path& data_path)
        : data(data_path),
          config(model_config(options.settings, &data)),
          backend(test::make_test_backend()),
          plan(plan_memory(config, options.settings, data.bins, *backend)),
          lasting(*backend, "lasting"),
          model(config, *backend, lasting, true),
          trainer(options, plan, data, *backend, lasting, model) {
      model.initialise(1);
    }
    Dataset data;
    CdtConfig config;
    std::unique_ptr<Backend> backend;
    MemoryPlan plan;
    Arena lasting;
    Cdt model;
    Trainer trainer;
  };
  std::unique_ptr<Run> make(const std::vector<Pair>& pairs) {
    test::write_small_dataset(data_dir, pairs);
    return std::make_unique<Run>(options, data_dir);
  }

  test::TempDir dir;
  fs::path data_dir = dir.path / "data";
  fs::path run_dir = dir.path / "run";
  TrainOptions options;
};

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
  state.schedule = {1.0 / 3.0, -std::numeric_limits<double>::infinity(), 4};
  state.stopping = {7, 0.1, 2};
  state.best_metric = 0.7;
  state.best_epoch = 1;
  state.loss_sum = 0.1 + 0.2;
  state.predictions = {0.1F, -0.0F};
  state.targets = {1e-40F, 2.0F};
  const fs::path file = dir.path / "state.safetensors";
  const RunFacts facts{"{}", "data", "cpu", data_fingerprint(run->data)};
  save_state(file, state, facts, run->model, first, backend);

  TrainState back;
  load_state(file, 4, 2, &back, run->model, &second, backend);
  EXPECT_EQ(back.epoch, 2);
  EXPECT_EQ(back.position, 1);
  EXPECT_EQ(back.global_step, 5);
  EXPECT_EQ(back.schedule.lr, state.schedule.lr);
  EXPECT_EQ(back.schedule.best, state.schedule.best);
  EXPECT_EQ(back.schedule.bad_epochs, 4);
  EXPECT_EQ(back.stopping.patience, 7);
  EXPECT_EQ(back.stopping.best, 0.1);
  EXPECT_EQ(back.stopping.bad_epochs, 2);
  EXPECT_EQ(back.best_metric, 0.7);
  EXPECT_EQ(back.best_epoch, 1);
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
  // The same file where an epoch has other steps: the counters no longer fit together.
  expect_message(input_error([&] { load_state(file, 3, 2, &back, run->model, &second, backend); }),
                 file, "metadata.global_step", "out of range");
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
  read_parameters(SafetensorsReader(folder.last_model()), rest.model);
  rest.trainer.restore(folder);
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

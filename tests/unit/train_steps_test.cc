// Optimiser steps of several batches (--accumulate), the last step of a run (--max-steps), and runs
// that end at a given moment.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "apps/train/run_folder.h"
#include "apps/train/step.h"
#include "apps/train/trainer.h"
#include "engine/backend.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using test::expect_message;
using test::input_error;

/// Whether batches are those of one optimiser step of one process, each with masks of its own, or
/// the parts of one batch that processes share.
enum class Parts : std::uint8_t { kBatches, kOfOneBatch };

/// What a pass over the first four train pairs computes.
struct Passes {
  std::vector<float> predictions, gradients;
};

class TrainSteps : public test::TrainRun {
 protected:
  /// The first four train pairs, in batches of `batch`.
  Passes passes(std::int64_t batch, Parts parts = Parts::kBatches) {
    options.settings.batch_size = batch;
    options.settings.accumulate = 4 / batch;
    const auto run = make(pairs);
    Backend& backend = *run->backend;
    Arena step(backend, "step");
    Arena scratch(backend, "scratch");
    Tape tape(backend, step, scratch);
    StepData data(run->model.config(), run->data, backend, run->lasting, options.settings);
    const StepResults results(run->lasting, batch, backend);
    run->model.zero_gradients();
    Passes out;
    for (std::int64_t first = 0; first < 4; first += batch) {
      const std::vector<Pair> part(pairs.begin() + first, pairs.begin() + first + batch);
      std::vector<std::int32_t> rows;
      std::vector<std::int32_t> genes;
      std::vector<float> effects;
      for (const Pair& pair : part) {
        rows.push_back(pair.enhancer);
        genes.push_back(pair.gene);
        effects.push_back(pair.beta);
      }
      data.feed.start(rows);
      const Tensor dna = data.feed.take();
      backend.upload(data.genes, genes.data());
      backend.upload(data.targets, effects.data());
      const bool split = parts == Parts::kOfOneBatch;
      data.part.first = split ? first : 0;
      add_gradients(options.settings, split ? 0 : static_cast<std::uint32_t>(first), dna, data,
                    run->model, tape, results);
      append(to_host(backend, results.predictions()), &out.predictions);
    }
    for (Parameter& p : run->model.parameters()) {
      append(to_host(backend, p.variable.grad), &out.gradients);
    }
    fs::remove_all(data_dir);
    return out;
  }

  static void append(const std::vector<float>& values, std::vector<float>* out) {
    out->insert(out->end(), values.begin(), values.end());
  }
};

double norm_of_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  }
  return std::sqrt(sum);
}

TEST_F(TrainSteps, AveragedGradientsAreThoseOfTheLargerBatch) {
  options.settings.dropout = 0.0;
  const std::vector<float> whole = passes(4).gradients;
  const double norm = norm_of_difference(whole, std::vector<float>(whole.size(), 0.0F));
  ASSERT_GT(norm, 0.0);
  const std::unique_ptr<Backend> backend = test::make_test_backend();
  // Another order of the sums over at most a few dozen terms.
  const double bound = 64.0 * backend->product_unit() * norm;
  for (const std::int64_t batch : {1, 2}) {
    const std::vector<float> averaged = passes(batch).gradients;
    ASSERT_EQ(averaged.size(), whole.size());
    EXPECT_LE(norm_of_difference(averaged, whole), bound) << batch;
  }
}

// With every mask that a step draws, those of its inputs included.
TEST_F(TrainSteps, PartsOfABatchHaveTheMasksOfTheirSamples) {
  options.settings.dropout = options.settings.mask_bins = options.settings.feature_dropout = 0.4;
  const Passes whole = passes(4);
  const double norm =
      norm_of_difference(whole.gradients, std::vector<float>(whole.gradients.size(), 0.0F));
  ASSERT_GT(norm, 0.0);
  const double unit = test::make_test_backend()->product_unit();
  const auto differences = [&](const Passes& other) {
    return std::pair(norm_of_difference(other.predictions, whole.predictions),
                     norm_of_difference(other.gradients, whole.gradients));
  };
  for (const std::int64_t batch : {1, 2}) {
    const auto [predictions, gradients] = differences(passes(batch, Parts::kOfOneBatch));
    EXPECT_LE(predictions, 64.0 * unit) << batch;
    EXPECT_LE(gradients, 64.0 * unit * norm) << batch;
    const auto [others, of_others] = differences(passes(batch));  // each batch with its own draw
    EXPECT_GT(others, std::max(0.1, 4.0 * predictions)) << batch;
    EXPECT_GT(of_others, std::max(0.1 * norm, 4.0 * gradients)) << batch;
  }
}

TEST_F(TrainSteps, AnEpochHasWholeStepsAndItsLossIsTheirMean) {
  options.settings.dropout = 0.0;
  options.settings.epochs = 1;
  options.settings.batch_size = 4;
  train(dir.path / "whole");
  fs::remove_all(data_dir);
  options.settings.batch_size = 2;
  options.settings.accumulate = 2;
  train(dir.path / "parts");
  const nlohmann::json whole = lines(dir.path / "whole").at(0);
  const nlohmann::json parts = lines(dir.path / "parts").at(0);
  EXPECT_EQ(parts["step"], 2);  // 9 pairs, 4 per step, the last one of the order dropped
  EXPECT_EQ(whole["step"], 2);
  // Both trained on the same pairs in the same order. Adam turns rounding into steps of the size of
  // the learning rate where a gradient is zero, which the loss hardly notices.
  const double loss = whole["train_loss"].get<double>();
  const double bound = std::max(1e-3, 16.0 * test::make_test_backend()->product_unit()) * loss;
  EXPECT_NEAR(parts["train_loss"].get<double>(), loss, bound);
}

TEST_F(TrainSteps, TooFewPairsForOneStepAreRefused) {
  options.settings.accumulate = 5;
  expect_message(input_error([&] { make(pairs); }), data_dir / "pairs.tsv", "split",
                 "too few train pairs for one optimiser step (expected at least 10, got 9)");
}

TEST_F(TrainSteps, ARunEndsAtItsLastStepWithAValidation) {
  options.settings.max_steps = 6;  // 4 per epoch
  train(run_dir);
  const std::vector<nlohmann::json> epochs = lines(run_dir);
  ASSERT_EQ(epochs.size(), 2U);
  EXPECT_EQ(epochs[0]["step"], 4);
  EXPECT_EQ(epochs[1]["step"], 6);
  EXPECT_TRUE(epochs[1].contains("val_pearson"));
  // Its loss is the mean of its two steps: that of an epoch cut there.
  fs::remove_all(data_dir);
  options.settings.max_steps = 0;
  const auto cut = make(pairs);
  cut->trainer.run(RunFolder(dir.path / "cut", false), RunMoment{2, 2});
  EXPECT_EQ(epochs[1]["train_loss"].get<double>(), cut->trainer.state().loss_sum / 2.0);
}

TEST_F(TrainSteps, ALastStepAtTheEndOfAnEpochStartsNoOther) {
  options.settings.max_steps = 4;
  const auto run = make(pairs);
  const RunFolder folder(run_dir, false);
  run->trainer.run(folder);
  EXPECT_TRUE(run->trainer.used_up_steps());
  EXPECT_EQ(lines(run_dir).size(), 1U);
}

TEST_F(TrainSteps, AResumedRunIsTheSame) {
  options.settings.accumulate = 2;  // two steps per epoch
  options.settings.max_steps = 5;
  train(dir.path / "straight");
  EXPECT_EQ(lines(dir.path / "straight").back()["step"], 5);
  fs::remove_all(data_dir);
  // Within an epoch, before a validation, and when all is done.
  const RunMoment moments[] = {{1, 1}, {2, 2}, {3, 1}, {4, 0}};
  for (const RunMoment& moment : moments) {
    const fs::path path = dir.path / ("at-" + std::to_string(moment.epoch));
    train(path, moment);
    const RunMoment saved = read_run_moment(path / "last" / "state.safetensors");
    EXPECT_EQ(saved.epoch, moment.epoch);
    EXPECT_EQ(saved.position, moment.position);
    resume(path);
    expect_same_weights(dir.path / "straight", path);
    fs::remove_all(data_dir);
  }
}

TEST(StepPlan, StepsStopAtTheLimit) {
  const StepPlan plan{.per_epoch = 4, .most = 10};
  EXPECT_EQ(plan.in(1), 4);
  EXPECT_EQ(plan.in(3), 2);
  EXPECT_EQ(plan.in(4), 0);
  EXPECT_EQ(plan.before(4), 10);
  EXPECT_EQ(plan.before(9), 10);
  const StepPlan endless{.per_epoch = 4};
  EXPECT_EQ(endless.in(1000), 4);
  EXPECT_EQ(endless.before(3), 8);
}

}  // namespace
}  // namespace cdt

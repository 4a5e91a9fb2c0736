// Switches of cdt-train for small data sets: each changes what it says, and a resumed run is the
// same.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "apps/train/step.h"
#include "engine/optim/schedule.h"
#include "tests/support/input_error.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

namespace fs = std::filesystem;
using test::expect_message;
using test::input_error;
using Values = std::map<std::string, std::vector<float>>;

struct Recipe {
  const char* name;
  std::function<void(TrainSettings&)> set;
};
const std::vector<Recipe> kRecipes = {
    {"no-decay", [](TrainSettings& s) { s.no_decay = kNoDecayVectors; }},
    {"warm-up", [](TrainSettings& s) { s.warmup_steps = 5; }},
    {"cosine", [](TrainSettings& s) { s.schedule = kCosine; }},
    {"linear",
     [](TrainSettings& s) {
       s.schedule = kLinear;
       s.warmup_steps = 3;
     }},
    {"lr-scale",
     [](TrainSettings& s) {
       s.lr_scale = {"*=0.5", "vce=2", "vce.fusion=0.25"};
     }},
    {"pair-weights", [](TrainSettings& s) { s.pair_weights = kWeightsBySe; }},
    {"mask-bins", [](TrainSettings& s) { s.mask_bins = 0.4; }},
    {"feature-dropout", [](TrainSettings& s) { s.feature_dropout = 0.2; }},
    {"scale", [](TrainSettings& s) { s.label_transform = kScaleLabels; }},
    {"clip",
     [](TrainSettings& s) {
       s.label_transform = kClipLabels;
       s.clip_share = 0.3;
     }},
    {"rank", [](TrainSettings& s) { s.label_transform = kRankLabels; }},
};

class TrainRecipes : public test::TrainRun {
 protected:
  void SetUp() override {
    TrainRun::SetUp();
    for (std::size_t i = 0; i < pairs.size(); ++i)
      pairs[i].se = 0.05F + 0.02F * static_cast<float>(i);
  }
  static Values weights(const fs::path& file) {
    const SafetensorsReader reader(file);
    Values out;
    for (const TensorInfo& info : reader.tensors()) {
      std::int64_t count = 1;
      for (const std::int64_t n : info.shape) count *= n;
      std::vector<float>& values = out[info.name];
      values.resize(static_cast<std::size_t>(count));
      reader.read(info.name, values.data());
    }
    return out;
  }
  /// The weights after a number of steps of the first epoch.
  Values after(std::int64_t steps) {
    const fs::path path = dir.path / ("after-" + std::to_string(runs_++));
    train(path, RunMoment{1, steps});
    fs::remove_all(data_dir);
    return weights(path / "last" / "model.safetensors");
  }

 private:
  int runs_ = 0;
};

TEST_F(TrainRecipes, ResumedRunsAreTheSameAndTakeWhatWasPlanned) {
  options.settings.weight_decay = 0.5;
  train(dir.path / "plain");
  fs::remove_all(data_dir);
  const TrainSettings plain = options.settings;
  const std::string plain_settings = settings_json(plain);
  for (const Recipe& recipe : kRecipes) {
    SCOPED_TRACE(recipe.name);
    options.settings = plain;
    recipe.set(options.settings);
    TrainOptions stored;
    adopt_stored_settings(settings_json(options.settings), "state", &stored);
    EXPECT_EQ(settings_json(stored.settings), settings_json(options.settings));
    EXPECT_NE(settings_json(options.settings), plain_settings);
    const fs::path straight = dir.path / recipe.name;
    const auto run = make(pairs);
    run->trainer.run(RunFolder(straight, false));
    EXPECT_EQ(run->plan.lasting(), run->lasting.peak());
    EXPECT_EQ(run->plan.activations, run->trainer.step_arena().peak());
    EXPECT_NE(test::read_bytes(straight / "last" / "model.safetensors"),
              test::read_bytes(dir.path / "plain" / "last" / "model.safetensors"));
    fs::remove_all(data_dir);
    for (const RunMoment& moment : {RunMoment{1, 3}, RunMoment{2, 0}, RunMoment{3, 4}}) {
      const fs::path path = dir.path / (std::string(recipe.name) + std::to_string(moment.epoch));
      train(path, moment);
      resume(path);
      expect_same_weights(straight, path);
      EXPECT_EQ(lines(path).back()["lr"], lines(straight).back()["lr"]);
      fs::remove_all(data_dir);
    }
  }
}

TEST_F(TrainRecipes, DecayOfMatricesOnly) {
  options.settings.weight_decay = 0.5;
  const Values all = after(1);
  options.settings.no_decay = kNoDecayVectors;
  const Values some = after(1);
  options.settings.weight_decay = 0.0;
  const Values none = after(1);
  std::set<std::string> without;
  for (const auto& [name, values] : some) {
    if (values == none.at(name)) without.insert(name);
    EXPECT_TRUE(values == none.at(name) || values == all.at(name)) << name;
  }
  for (const auto& [name, values] : none) {
    const bool vector = name.ends_with("bias") || name.find("norm") != std::string::npos ||
                        name.ends_with("_query") || name == "vce.fusion.4.weight";
    EXPECT_EQ(without.count(name) > 0, vector) << name;
  }
}

TEST_F(TrainRecipes, LearningRatesOfModules) {
  options.settings.weight_decay = 0.5;
  const Values start = after(0), plain = after(1);
  options.settings.lr_scale = {"*=0.5", "vce=2", "vce.fusion=0.25"};
  for (const auto& [name, values] : after(1)) {
    const double factor = name.starts_with("vce.fusion") ? 0.25 : name.starts_with("vce") ? 2 : 0.5;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double moved = static_cast<double>(values[i]) - start.at(name)[i];
      const double before = static_cast<double>(plain.at(name)[i]) - start.at(name)[i];
      ASSERT_NEAR(moved, factor * before, 1e-6) << name;
    }
  }
  const auto complaint = [&](const char* entry) {
    options.settings.lr_scale = {entry};
    fs::remove_all(data_dir);
    return input_error([&] { make(pairs); });
  };
  expect_message(complaint("vce"), "command line", "--lr-scale",
                 "(expected PATTERN=FACTOR, got vce)");
  expect_message(complaint("vce=fast"), "command line", "--lr-scale", "PATTERN=FACTOR");
  expect_message(complaint("vce=0"), "command line", "--lr-scale", "--freeze keeps");
  expect_message(complaint("vce=2000"), "command line", "--lr-scale", "at most 1000, got 2000");
  expect_message(complaint("vcx=2"), "command line", "--lr-scale", "names no parameter");
  expect_message(complaint("vce=500"), "command line", "--lr-scale", "takes weights to zero");
}

TEST_F(TrainRecipes, WarmUpShrinksTheFirstSteps) {
  options.settings.weight_decay = 0.0;
  const Values start = after(0);
  const auto furthest = [&](const Values& now) {
    double out = 0.0;
    for (const auto& [name, values] : now) {
      for (std::size_t i = 0; i < values.size(); ++i) {
        out = std::max(out, std::abs(static_cast<double>(values[i]) - start.at(name)[i]));
      }
    }
    return out;
  };
  // Adam's first step has the size of the learning rate.
  EXPECT_NEAR(furthest(after(1)) / options.settings.lr, 1.0, 1e-3);
  options.settings.warmup_steps = 8;
  EXPECT_NEAR(furthest(after(1)) / options.settings.lr, 1.0 / 8, 1e-3);
}

TEST_F(TrainRecipes, MetricsHaveTheRateOfTheLastStep) {
  options.settings.schedule = kCosine;
  options.settings.warmup_steps = 2;
  options.settings.final_lr_share = 0.1;
  train(run_dir);
  const StepSchedule schedule{StepSchedule::Decay::kCosine, 2, 12, 0.1};  // 4 steps per epoch
  const std::vector<nlohmann::json> epochs = lines(run_dir);
  ASSERT_EQ(epochs.size(), 3U);
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    EXPECT_EQ(epochs[i]["lr"].get<double>(),
              options.settings.lr * schedule.factor(4 * static_cast<std::int64_t>(i) + 3));
  }
}

/// Masks differ between batches, and each bin of each sample is masked on its own.
TEST_F(TrainRecipes, MaskedBinsAreZeroAndTheOthersAsTheyWere) {
  options.settings.mask_bins = 0.3;
  const auto run = make(pairs);
  Backend& backend = *run->backend;
  Arena step(backend, "step"), scratch(backend, "scratch");
  Tape tape(backend, step, scratch);
  StepData data(run->model.config(), run->data, backend, run->lasting, options.settings);
  const StepResults results(run->lasting, options.settings.batch_size, backend);
  const std::vector<std::int32_t> genes = {0, 2};
  const std::vector<float> targets = {0.5F, -0.5F};
  backend.upload(data.genes, genes.data());
  backend.upload(data.targets, targets.data());
  std::set<std::vector<bool>> masks;
  int masked = 0, bins = 0;
  for (std::uint32_t draw = 0; draw < 40; ++draw) {
    data.feed.start({1, 3});
    const Tensor dna = data.feed.take();
    const std::vector<float> before = to_host(backend, dna);
    add_gradients(options.settings, draw, dna, data, run->model, tape, results);
    const std::vector<float> after = to_host(backend, dna);
    const auto width = static_cast<std::ptrdiff_t>(run->data.dna_dim);
    std::vector<bool> mask;
    for (auto at = after.begin(); at != after.end(); at += width) {
      mask.push_back(std::all_of(at, at + width, [](float x) { return x == 0.0F; }));
      if (mask.back()) continue;
      EXPECT_TRUE(std::equal(at, at + width, before.begin() + (at - after.begin())));
    }
    masked += static_cast<int>(std::count(mask.begin(), mask.end(), true));
    bins += static_cast<int>(mask.size());
    masks.insert(mask);
  }
  EXPECT_EQ(bins, 40 * 2 * 4);
  EXPECT_NEAR(masked, 0.3 * bins, 3.0 * std::sqrt(0.3 * 0.7 * bins));
  EXPECT_GT(masks.size(), 25U);
}

TEST_F(TrainRecipes, AWarmUpAsLongAsTheRunIsRefused) {
  options.settings.warmup_steps = 12;
  expect_message(input_error([&] { make(pairs); }), "command line", "--warmup-steps",
                 "leaves no step at the full learning rate (expected fewer than the run's 12, "
                 "got 12)");
}

/// A decay ends with the epochs that the run began with.
TEST_F(TrainRecipes, MoreEpochsAreRefusedWhereTheRateFallsOverAll) {
  TrainOptions resumed;
  resumed.given = {"epochs"};
  resumed.settings.epochs = 7;
  options.settings.warmup_steps = 1;
  adopt_stored_settings(settings_json(options.settings), "state", &resumed);
  EXPECT_EQ(resumed.settings.epochs, 7);
  options.settings.schedule = kLinear;
  expect_message(input_error([&] {
                   adopt_stored_settings(settings_json(options.settings), "state", &resumed);
                 }),
                 "command line", "--epochs", "(expected 3, got 7)");
}

}  // namespace
}  // namespace cdt

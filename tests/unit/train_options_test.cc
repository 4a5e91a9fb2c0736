// Settings of cdt-train: those stored by a run or a model, against those of the command line.
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "apps/train/options.h"
#include "tests/support/input_error.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;

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
  stored.settings.epochs = 7;  // the only one that may change
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

TEST(TrainOptionsTest, StoredValuesAreHeldToTheRangesOfTheCommandLine) {
  const auto complaint = [](const std::string& from, const std::string& to) {
    std::string stored = settings_json(TrainSettings{});
    stored.replace(stored.find(from), from.size(), to);
    TrainOptions options;
    return input_error([&] { adopt_stored_settings(stored, "state", &options); });
  };
  expect_message(complaint("\"batch-size\":8", "\"batch-size\":0"), "state", "settings.batch-size",
                 "expected 1 to 4096, got 0");
  expect_message(complaint("\"lr\":1e-04", "\"lr\":0"), "state", "settings.lr", "out of range");
  expect_message(complaint("\"epochs\":50", "\"epochs\":-1"), "state", "settings.epochs", "got -1");
  expect_message(complaint("\"dropout\":0.3", "\"dropout\":1.5"), "state", "settings.dropout",
                 "got 1.5");
  expect_message(complaint("\"seed\":0", "\"seed\":-3"), "state", "settings.seed",
                 "out of range (expected at least 0, got -3)");
  expect_message(complaint("\"variant\":\"released", "\"variant\":\"v4"), "state",
                 "settings.variant", "got v4");
  expect_message(complaint("fp32", "fp8"), "state", "settings.precision", "got fp8");
  EXPECT_EQ(complaint("fp32", "bf16"), "");
}

/// The behaviour of a run that began before the setting existed.
TEST(TrainOptionsTest, ARunBegunBeforeASettingKeepsWhatItHad) {
  std::string stored = settings_json(TrainSettings{});
  for (const std::string key : {"\"steer-by\":\"seen\",", "\"init-head\":\"released\","}) {
    ASSERT_NE(stored.find(key), std::string::npos) << stored;
    stored.erase(stored.find(key), key.size());
  }
  TrainOptions options;
  options.settings.init_head = "mean";
  adopt_stored_settings(stored, "state", &options);
  EXPECT_EQ(options.settings.steer_by, "all");
  EXPECT_EQ(options.settings.init_head, "released");
  // From now on it stores the setting.
  TrainOptions again;
  again.given = {"steer-by"};
  adopt_stored_settings(settings_json(options.settings), "state", &options);
  EXPECT_EQ(options.settings.steer_by, "all");
  expect_message(input_error([&] { adopt_stored_settings(stored, "state", &again); }),
                 "command line", "--steer-by", "expected all, got seen");
  stored.erase(stored.find("\"variant\":\"released\","), 21);
  expect_message(input_error([&] { adopt_stored_settings(stored, "state", &options); }), "state",
                 "settings.variant", "missing");
}

/// Settings newer than the format are stored only if they differ from the earlier behaviour.
TEST(TrainOptionsTest, NewerSettingsAreStoredWhereTheyDiffer) {
  TrainSettings settings;
  EXPECT_EQ(settings_json(settings).find("\"init\""), std::string::npos);
  settings.init = "torch:5";
  settings.order = "torch";
  TrainOptions resumed;
  adopt_stored_settings(settings_json(settings), "state", &resumed);
  EXPECT_EQ(resumed.settings.init, "torch:5");
  EXPECT_EQ(resumed.settings.order, "torch");
  adopt_stored_settings(settings_json(TrainSettings{}), "state", &resumed);
  EXPECT_EQ(resumed.settings.init, "seed");
  EXPECT_EQ(resumed.settings.order, "seed");
  const auto complaint = [&](const char* init, const char* order) {
    settings.init = init;
    settings.order = order;
    return input_error([&] { adopt_stored_settings(settings_json(settings), "state", &resumed); });
  };
  expect_message(complaint("torch:x", "seed"), "state", "settings.init",
                 "expected one of the words of --init, got torch:x");
  expect_message(complaint("seed", "torch"), "state", "settings.order", "--init torch:SEED");
}

/// A state with the settings of a run, as adopt_optimiser_settings() reads it.
OptimiserNumbers numbers_of(const TrainSettings& settings) {
  OptimiserNumbers out;
  out.schedule.lr = settings.lr;
  out.weight_decay = settings.weight_decay;
  out.settings = settings_json(settings);
  return out;
}

TEST(TrainOptionsTest, AStateBringsWhatItsUpdatesDependOn) {
  TrainSettings run;
  run.schedule = kCosine;
  run.warmup_steps = 5;
  run.final_lr_share = 0.1;
  run.no_decay = kNoDecayVectors;
  run.lr_scale = {"vce=2"};
  run.label_transform = kClipLabels;
  run.clip_share = 0.2;
  run.pair_weights = kWeightsBySe;
  run.mask_bins = 0.3;
  run.feature_dropout = 0.4;
  TrainOptions options;
  options.common.quiet = true;
  adopt_optimiser_settings(numbers_of(run), &options);
  EXPECT_EQ(settings_json(options.settings), settings_json(run));
  run.epoch_controls = kNoEpochControls;  // changes no update
  run.huber_delta = 3;                    // of the released training
  TrainOptions own;
  own.common.quiet = true;
  own.settings.mask_bins = 0.5;
  own.given = {"mask-bins"};
  adopt_optimiser_settings(numbers_of(run), &own);
  EXPECT_EQ(own.settings.mask_bins, 0.5);
  EXPECT_EQ(own.settings.feature_dropout, 0.4);
  EXPECT_EQ(own.settings.epoch_controls, "all");
  EXPECT_EQ(own.settings.huber_delta, 1.0);
}

TEST(TrainOptionsTest, AGivenSettingWithoutEffectIsRefused) {
  const auto complaint = [](const std::string& name, const TrainSettings& settings) {
    TrainOptions options;
    options.settings = settings;
    options.given = {name};
    return input_error([&] { check_combined(options); });
  };
  TrainSettings settings;
  expect_message(complaint("clip-share", settings), "command line", "--clip-share",
                 "needs --label-transform clip");
  expect_message(complaint("final-lr-share", settings), "command line", "--final-lr-share",
                 "needs --schedule cosine or linear");
  settings.label_transform = kClipLabels;
  settings.schedule = kLinear;
  EXPECT_EQ(complaint("clip-share", settings), "");
  EXPECT_EQ(complaint("final-lr-share", settings), "");
  EXPECT_EQ(complaint("steer-by", settings), "");
  settings.readout = "gene";
  expect_message(complaint("steer-by", settings), "command line", "--steer-by",
                 "all pairs steer with --readout gene");
  EXPECT_EQ(complaint("epochs", settings), "");
  settings.lr = settings.weight_decay = 1.0;
  expect_message(complaint("epochs", settings), "command line", "--weight-decay", "in one step");
}

TEST(TrainOptionsTest, DropoutOfAStoredModelHoldsUnlessGiven) {
  CdtConfig config;
  config.dropout = 0.1F;
  TrainOptions options;
  options.common.quiet = true;
  adopt_model_dropout(config, "m.safetensors", &options);
  EXPECT_EQ(options.settings.dropout, 0.1);
  options.settings.dropout = 0.2;
  options.given = {"dropout"};
  adopt_model_dropout(config, "m.safetensors", &options);
  EXPECT_EQ(options.settings.dropout, 0.2);
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

}  // namespace
}  // namespace cdt

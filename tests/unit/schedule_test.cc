// The schedule and early stopping, replayed over the validation Pearson r of two published runs.
#include "engine/optim/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace cdt {
namespace {

// Printed epoch logs of the released training notebook, at dropout 0.3 and earlier at 0.1.
const std::vector<double> kDropout03 = {
    .3128, .3872, .4727, .4693, .4609, .4727, .4578, .4879, .4789, .4726, .4800, .4739, .4823,
    .4715, .4945, .5032, .4992, .4960, .4996, .4936, .4970, .4967, .4969, .5014, .5008, .5007};
const std::vector<double> kDropout01 = {
    .2885, .4297, .4256, .4355, .4558, .4330, .4559, .4639, .4670, .4592, .4773, .4968,
    .4827, .4828, .4801, .4834, .4881, .4837, .4905, .4930, .4929, .4986, .4995, .5019,
    .4966, .4990, .4954, .4929, .5006, .4972, .4978, .4944, .4992, .4966};

struct Replay {
  std::vector<double> lr;           // the rate used in each epoch
  std::vector<std::int64_t> saved;  // epochs better than all before, whose model was saved
  std::int64_t stopped = 0;
};

Replay replay(const std::vector<double>& pearson) {
  Replay out;
  ReduceLrOnPlateau schedule;
  EarlyStopping stopping;
  double best = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < pearson.size(); ++i) {
    out.lr.push_back(schedule.lr);
    schedule.step(pearson[i]);
    if (pearson[i] > best) {
      best = pearson[i];
      out.saved.push_back(static_cast<std::int64_t>(i) + 1);
    }
    if (stopping.step(pearson[i])) {
      out.stopped = static_cast<std::int64_t>(i) + 1;
      break;
    }
  }
  return out;
}

void expect_rates(const Replay& run, std::size_t first_half, std::size_t first_quarter) {
  for (std::size_t epoch = 1; epoch <= run.lr.size(); ++epoch) {
    const double expected = epoch < first_half ? 1e-4 : epoch < first_quarter ? 5e-5 : 2.5e-5;
    EXPECT_EQ(run.lr[epoch - 1], expected) << "epoch " << epoch;
  }
}

TEST(Schedule, PublishedRunDropout03) {
  const Replay run = replay(kDropout03);
  expect_rates(run, 15, 23);
  EXPECT_EQ(run.stopped, 26);
  // The log also marks epoch 6 as saved: its r equals that of epoch 3 in the four digits it prints.
  EXPECT_EQ(run.saved, (std::vector<std::int64_t>{1, 2, 3, 8, 15, 16}));
}

TEST(Schedule, PublishedRunDropout01) {
  const Replay run = replay(kDropout01);
  expect_rates(run, 19, 31);
  EXPECT_EQ(run.stopped, 34);
  EXPECT_EQ(run.saved, (std::vector<std::int64_t>{1, 2, 4, 5, 7, 8, 9, 11, 12, 22, 23, 24}));
}

// The same run with epoch 6 just above epoch 3, as its log says: nothing else changes.
TEST(Schedule, PublishedRunDropout03BeforeRounding) {
  std::vector<double> pearson = kDropout03;
  for (const double gain : {1e-5, 9e-5}) {  // below and above the schedule's threshold
    pearson[5] = pearson[2] + gain;
    const Replay run = replay(pearson);
    expect_rates(run, 15, 23);
    EXPECT_EQ(run.stopped, 26);
    EXPECT_EQ(run.saved, (std::vector<std::int64_t>{1, 2, 3, 6, 8, 15, 16}));
  }
}

TEST(Schedule, ThresholdIsRelativeAndExclusive) {
  ReduceLrOnPlateau schedule;
  schedule.step(0.5);
  schedule.step(0.5 * (1.0 + ReduceLrOnPlateau::kThreshold));  // equal to the threshold: not better
  EXPECT_EQ(schedule.best, 0.5);
  EXPECT_EQ(schedule.bad_epochs, 1);
  schedule.step(0.51);
  EXPECT_EQ(schedule.best, 0.51);
  EXPECT_EQ(schedule.bad_epochs, 0);
}

// PyTorch's mode min: an improvement is metric < best * (1 - threshold).
TEST(Schedule, OfALossLowerIsBetter) {
  ReduceLrOnPlateau schedule;
  schedule.better = Better::kLower;
  schedule.best = worst(Better::kLower);
  schedule.step(0.5);
  EXPECT_EQ(schedule.best, 0.5);
  schedule.step(0.5 * (1.0 - ReduceLrOnPlateau::kThreshold));  // equal to the threshold: not better
  EXPECT_EQ(schedule.best, 0.5);
  EXPECT_EQ(schedule.bad_epochs, 1);
  schedule.step(0.6);
  schedule.step(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(schedule.bad_epochs, 3);
  schedule.step(0.4);
  EXPECT_EQ(schedule.best, 0.4);
  EXPECT_EQ(schedule.bad_epochs, 0);
  for (int epoch = 0; epoch < 6; ++epoch) {
    EXPECT_EQ(schedule.lr, 1e-4);
    schedule.step(0.5);
  }
  EXPECT_EQ(schedule.lr, 5e-5);
}

TEST(EarlyStopping, OfALossTheGainIsRelative) {
  EarlyStopping stopping;
  stopping.patience = 2;
  stopping.better = Better::kLower;
  stopping.best = worst(Better::kLower);
  EXPECT_FALSE(stopping.step(0.01));
  EXPECT_FALSE(stopping.step(0.00998));  // a gain far below kMinDelta, but 0.2 % of the loss
  EXPECT_EQ(stopping.best, 0.00998);
  EXPECT_FALSE(stopping.step(0.00998 * (1.0 - 0.5 * EarlyStopping::kMinDelta)));
  EXPECT_EQ(stopping.best, 0.00998);
  EXPECT_TRUE(stopping.step(std::numeric_limits<double>::quiet_NaN()));
}

TEST(Schedule, NegativeMetricsFollowPyTorch) {
  ReduceLrOnPlateau schedule;
  schedule.step(-0.5);
  schedule.step(-0.50004);  // above best * 1.0001, so PyTorch calls it better
  EXPECT_EQ(schedule.best, -0.50004);
}

TEST(Schedule, SixthBadEpochHalvesAndTinyReductionsAreSkipped) {
  ReduceLrOnPlateau schedule;
  schedule.step(1.0);
  for (int i = 0; i < 5; ++i) schedule.step(0.0);
  EXPECT_EQ(schedule.lr, 1e-4);
  schedule.step(0.0);
  EXPECT_EQ(schedule.lr, 5e-5);
  EXPECT_EQ(schedule.bad_epochs, 0);
  schedule.lr = 1.5e-8;
  for (int i = 0; i < 6; ++i) schedule.step(0.0);
  EXPECT_EQ(schedule.lr, 1.5e-8);
}

TEST(Schedule, NanIsABadEpoch) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ReduceLrOnPlateau schedule;
  EarlyStopping stopping;
  stopping.patience = 2;
  schedule.step(nan);
  EXPECT_EQ(schedule.bad_epochs, 1);
  EXPECT_FALSE(stopping.step(nan));
  EXPECT_TRUE(stopping.step(nan));
  EXPECT_FALSE(stopping.step(0.1));
  EXPECT_EQ(stopping.best, 0.1);
}

TEST(StepSchedule, WarmUpRisesInEqualParts) {
  StepSchedule schedule;
  EXPECT_EQ(schedule.factor(0), 1.0);
  EXPECT_EQ(schedule.factor(1'000'000), 1.0);
  schedule.warmup = 4;
  for (std::int64_t step = 0; step < 4; ++step) {
    EXPECT_EQ(schedule.factor(step), 0.25 * static_cast<double>(step + 1));
  }
  EXPECT_EQ(schedule.factor(4), 1.0);
  EXPECT_EQ(schedule.factor(400), 1.0);
}

// By hand: 10 steps, 2 of warm-up, so the decay is an eighth further with each step.
TEST(StepSchedule, DecaysToTheFinalShare) {
  StepSchedule schedule{StepSchedule::Decay::kLinear, 2, 10, 0.2};
  EXPECT_EQ(schedule.factor(0), 0.5);
  EXPECT_EQ(schedule.factor(2), 1.0);
  EXPECT_NEAR(schedule.factor(4), 0.8, 1e-15);
  EXPECT_NEAR(schedule.factor(9), 0.3, 1e-15);
  EXPECT_EQ(schedule.factor(10), 0.2);
  EXPECT_EQ(schedule.factor(11), 0.2);
  schedule.decay = StepSchedule::Decay::kCosine;
  EXPECT_EQ(schedule.factor(1), 1.0);
  EXPECT_EQ(schedule.factor(2), 1.0);
  EXPECT_NEAR(schedule.factor(4), 0.2 + 0.4 * (1.0 + std::sqrt(0.5)), 1e-15);
  EXPECT_NEAR(schedule.factor(6), 0.6, 1e-15);
  EXPECT_NEAR(schedule.factor(8), 0.2 + 0.4 * (1.0 - std::sqrt(0.5)), 1e-15);
  EXPECT_NEAR(schedule.factor(10), 0.2, 1e-15);
  schedule.final_share = 0.0;
  EXPECT_GT(schedule.factor(9), 0.0);
}

TEST(EarlyStoppingRule, SmallGainsDoNotMoveTheBar) {
  EarlyStopping stopping;
  stopping.patience = 3;
  EXPECT_FALSE(stopping.step(0.5));
  EXPECT_FALSE(stopping.step(0.5009));
  EXPECT_EQ(stopping.best, 0.5);
  EXPECT_FALSE(stopping.step(0.5 + EarlyStopping::kMinDelta));  // exactly the required gain: good
  EXPECT_EQ(stopping.bad_epochs, 0);
  EXPECT_FALSE(stopping.step(0.4));
  EXPECT_FALSE(stopping.step(0.4));
  EXPECT_TRUE(stopping.step(0.4));
}

}  // namespace
}  // namespace cdt

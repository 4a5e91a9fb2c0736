// When to lower the learning rate and when to stop: PyTorch's ReduceLROnPlateau (relative
// threshold, no cooldown) and the early stopping of the released training. Both take one number per
// epoch, such as the validation Pearson correlation. Their numbers are their whole state, so a
// checkpoint stores them field by field. Warm-up and decay over the steps of a run have no state.
#pragma once

#include <cstdint>
#include <limits>

namespace cdt {

/// Which of two numbers is better: the higher (PyTorch's mode max), as of a correlation, or the
/// lower (mode min), as of a loss.
enum class Better : std::uint8_t { kHigher, kLower };

/// The value that any other improves on.
inline double worst(Better better) {
  const double infinity = std::numeric_limits<double>::infinity();
  return better == Better::kHigher ? -infinity : infinity;
}

/// Halves the learning rate once the metric has not improved for more than kPatience epochs.
struct ReduceLrOnPlateau {
  static constexpr double kFactor = 0.5;
  static constexpr std::int64_t kPatience = 5;
  static constexpr double kThreshold = 1e-4;  // metric > best * (1 + it), or < best * (1 - it)
  static constexpr double kEps = 1e-8;        // reductions smaller than this are skipped

  double lr = 1e-4;
  double best = worst(Better::kHigher);
  std::int64_t bad_epochs = 0;
  Better better = Better::kHigher;

  /// Call after each epoch's validation. NaN is never an improvement.
  void step(double metric);
};

/// Warm-up and decay of the learning rate as a function of the step alone.
struct StepSchedule {
  enum class Decay : std::uint8_t { kNone, kLinear, kCosine };

  Decay decay = Decay::kNone;
  std::int64_t warmup = 0;   // steps
  std::int64_t steps = 0;    // of the run, warm-up included; more than warmup
  double final_share = 0.0;  // of the learning rate, which the decay approaches

  /// The factor of the learning rate of a step, counted from 0. Warm-up: step + 1 of `warmup`, so
  /// the last step of the warm-up has the full rate. The decay then goes from 1, at the first step
  /// after it, to final_share at step `steps`, which is the first that is not taken.
  double factor(std::int64_t step) const;
};

/// Stops after `patience` consecutive epochs without a gain of at least kMinDelta. Where lower is
/// better, the gain is relative, since a loss has no scale of its own.
struct EarlyStopping {
  static constexpr double kMinDelta = 1e-3;

  std::int64_t patience = 10;
  double best = worst(Better::kHigher);
  std::int64_t bad_epochs = 0;
  Better better = Better::kHigher;

  /// Call after each epoch's validation; returns true to stop. NaN is never a gain.
  bool step(double metric);
};

/// Calls visit(name, value) for each number of both, under the names that checkpoints use.
template <class Schedule, class Stopping, class Visit>
void for_each_steering_number(Schedule& schedule, Stopping& stopping, const Visit& visit) {
  visit("schedule.lr", schedule.lr);
  visit("schedule.best", schedule.best);
  visit("schedule.bad_epochs", schedule.bad_epochs);
  visit("stopping.patience", stopping.patience);
  visit("stopping.best", stopping.best);
  visit("stopping.bad_epochs", stopping.bad_epochs);
}

}  // namespace cdt

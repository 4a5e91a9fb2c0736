// The losses of a run, watched for a learning rate that is too high: the loss then grows to a
// multiple of what it began with, and of that of predictions of 0.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace cdt {

class LossWatch {
 public:
  /// nothing: the loss of the training pairs if all predictions are 0.
  explicit LossWatch(double nothing) : nothing_(nothing) {}

  /// Takes the finite loss of the next step.
  void add(double loss);
  /// What to say of losses that ended in NaN or infinity at the learning rate `lr`: whether they
  /// grew until then.
  std::string before_the_end(double lr, bool checks_numerics) const;
  /// Once for a run that diverges: what to say after an epoch of this mean loss; otherwise "". It
  /// diverges if the epoch and its last steps have kTooMuch times the loss of the run's first step,
  /// and of predictions of 0.
  std::string after_epoch(double mean, double lr);

  static constexpr std::int64_t kSteps = 8;  // the last ones
  static constexpr double kTooMuch = 10.0;

 private:
  /// Place in latest_ of the loss of step `step`, counted from 0.
  static std::size_t place(std::int64_t step) { return static_cast<std::size_t>(step % kSteps); }
  /// Mean of the last kSteps losses.
  double recent() const;
  /// A loss above this is too much.
  double bound() const;

  double nothing_;
  std::int64_t count_ = 0;
  double first_ = 0.0;
  std::array<double, kSteps> latest_{};
  bool told_ = false;
};

}  // namespace cdt

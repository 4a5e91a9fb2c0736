// --label-transform of cdt-train: what the loss compares the model's outputs with, and how outputs
// become predictions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "apps/train/options.h"
#include "io/dataset/dataset.h"
#include "model/checkpoint.h"

namespace cdt {

/// Maps effects to targets by rules fitted on the effects of the training pairs:
/// - none: the effects;
/// - scale: effects divided by their standard deviation;
/// - clip: effects clipped at their quantiles --clip-share and 1 - --clip-share;
/// - rank: the normal quantile of (pairs with a smaller effect + half of those with an equal one) /
///   all pairs, at least half a pair away from 0 and 1.
class TargetTransform {
 public:
  /// Throws InputError for scale if the effects do not differ.
  TargetTransform(const TrainSettings& settings, const std::vector<Pair>& train);

  float target(float effect) const;
  /// The pairs with targets in place of their effects.
  std::vector<Pair> with_targets(std::vector<Pair> pairs) const;
  /// predictions_of() the outputs of the model.
  std::vector<float> predictions(std::vector<float> outputs) const;
  /// The loss of an epoch (epoch_loss()) in units of targets.
  double loss(std::vector<float> predictions, const std::vector<Pair>& pairs, std::int64_t batch,
              double delta) const;
  /// What a model file records about it.
  const OutputUnits& units() const { return units_; }

 private:
  std::string kind_;
  OutputUnits units_;
  double low_ = 0, high_ = 0;    // of clip
  std::vector<double> effects_;  // of the training pairs, ascending
};

}  // namespace cdt

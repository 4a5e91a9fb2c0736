// --pair-weights of cdt-train: how much each training pair counts in the loss.
#pragma once

#include <vector>

#include "apps/train/options.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// Weights proportional to 1 / (se^2 + tau^2), whose mean over the training pairs is 1. tau^2, the
/// variance of effects measured without error, is the variance of the training effects minus the
/// mean of their se^2, but at least a tenth of the former.
class PairWeights {
 public:
  /// Throws InputError if the pairs have no standard errors but --pair-weights needs them.
  PairWeights(const TrainSettings& settings, const Dataset& data);

  /// Whether pairs count differently.
  bool enabled() const { return enabled_; }
  float of(const Pair& pair) const;
  std::vector<float> of(const std::vector<Pair>& pairs) const;

 private:
  bool enabled_;
  double tau_squared_ = 0.0, factor_ = 1.0;
};

}  // namespace cdt

// The predictions of a program that predicts a split once, with their controls.
#pragma once

#include <vector>

#include "apps/common/inference.h"
#include "apps/evaluation/control_passes.h"

namespace cdt {

struct Predicted {
  std::vector<float> predictions;  // one per pair, in their order
  ControlPredictions controls;
};

/// From passes over `batch` enhancers, with a progress line unless quiet; seed: of the controls.
/// Throws Error naming the pair if a prediction is not finite.
Predicted predict_once(Inference& inference, const std::vector<Pair>& pairs, std::int64_t batch,
                       std::uint64_t seed, bool quiet);

}  // namespace cdt

// The predictions of a program that predicts a split once, with their controls.
#pragma once

#include <vector>

#include "apps/common/session.h"
#include "apps/evaluation/control_passes.h"

namespace cdt {

struct Predicted {
  std::vector<float> predictions;  // one per pair, in their order
  ControlSource controls;          // empty without controls
};

struct PredictSettings {
  std::int64_t batch = 4;     // enhancers per pass
  bool with_controls = true;  // which take as long again
  std::uint64_t seed = 0;     // of the controls
  bool quiet = false;         // no progress line
};

/// Throws Error naming the pair if a prediction is not finite.
Predicted predict_once(Inference& inference, const std::vector<Pair>& pairs,
                       const PredictSettings& settings);

}  // namespace cdt

// Predictions of a split with their controls: run at once, or put together from parts that ran
// elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "apps/common/session.h"
#include "apps/evaluation/control_passes.h"

namespace cdt {

/// Predictions of a program that predicts a split once, with their controls.
struct Predicted {
  std::vector<float> predictions;  // one per pair, in their order
  ControlSource controls;          // empty if there are none
};

struct PredictSettings {
  std::int64_t batch = 4;     // contexts per pass
  bool with_controls = true;  // all Rounds instead of the first
  std::uint64_t seed = 0;     // of the controls
  bool quiet = false;         // if set, no progress line
};

/// The passes that a split needs.
struct SplitPasses {
  SplitPasses(const CdtConfig& config, const Dataset& data, const std::vector<Pair>& pairs,
              const PredictSettings& settings);

  std::vector<Context> contexts;  // distinct, ascending
  Rounds rounds;
  std::size_t batch;  // contexts per pass
  std::vector<PassTask> tasks;
};

/// Runs some of the tasks, in order. pairs: all of the split, whatever the tasks. Throws Error if a
/// signal arrives.
void run_split_passes(
    Inference& inference, const std::vector<Pair>& pairs, const SplitPasses& passes,
    std::span<const PassTask> tasks, const PredictSettings& settings,
    const std::function<void(const PassTask& task, std::span<const float> rows)>& receive);

/// Takes the predictions of the pairs out of complete tables. Throws Error naming the pair if a
/// prediction is not finite.
Predicted predicted_from(PassTables tables, const Dataset& data, const std::vector<Pair>& pairs,
                         const PredictSettings& settings);

/// Predicts the pairs: all tasks at once.
Predicted predict_once(Inference& inference, const std::vector<Pair>& pairs,
                       const PredictSettings& settings);

}  // namespace cdt

// The runs of a study that had the same share of the training pairs, scored over their folds.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/evaluation/classification.h"
#include "apps/evaluation/study.h"
#include "apps/predict/arm_runs.h"
#include "io/dataset/dataset.h"

namespace cdt {

/// The ensemble of another study, predictions for the same pairs in the same order.
struct OtherStudy {
  std::string name;  // of its folder
  std::vector<float> predictions;
};

/// Scores the runs against baselines, controls and other studies. positives: of pairs_of(runs).
/// locus_of: of each enhancer.
StudyArm score_arm(const ArmRuns& runs, const std::vector<OtherStudy>& others, const Dataset& data,
                   const std::string& split, const std::optional<Positives>& positives,
                   const std::vector<std::int32_t>& locus_of, const BootstrapOptions& bootstrap);

}  // namespace cdt

// The runs of a study by training share and fold, and their predictions as vectors over all tested
// pairs.
#pragma once

#include <functional>
#include <vector>

#include "apps/predict/recorded.h"
#include "io/dataset/dataset.h"
#include "model/stats/fold_scores.h"

namespace cdt {

/// Runs of one training share by fold, in the order of the folds; each fold has as many runs.
struct ArmRuns {
  double train_share = 1;
  std::vector<std::vector<RecordedPrediction>> folds;  // (folds, seeds)
};

/// Groups the runs, the largest share first. Throws InputError naming a folder: a model given
/// twice, a fold without a run or with another number of runs than the first, baselines or controls
/// that only some runs have.
std::vector<ArmRuns> arms_of(std::vector<RecordedPrediction> runs, const Dataset& data);

/// The tested pairs of all folds, one after the other.
std::vector<Pair> pairs_of(const ArmRuns& runs);
/// Mean over the runs of a fold of their predictions, for these pairs.
std::vector<float> ensemble_of(const ArmRuns& runs);

/// A part of each run, such as its predictions, for the pairs of all folds: one vector for each
/// seed.
Members members_of(const ArmRuns& runs,
                   const std::function<const std::vector<float>&(const RecordedPrediction&)>& part);
/// Mean over the members.
std::vector<float> mean_of(const Members& members);

}  // namespace cdt

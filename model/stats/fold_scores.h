// Scores of predictions that were made fold by fold: each fold has models of its own, so pairs are
// compared within their fold and scores are means over the folds.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/stats/bootstrap.h"

namespace cdt {

/// What was measured; one element per pair.
struct FoldedTargets {
  std::vector<float> target;
  std::vector<bool> positive;         // empty if there are no positives to find
  std::vector<std::int32_t> fold;     // 0 ... folds - 1, each with a pair
  std::vector<std::int32_t> cluster;  // resampled as a whole, whatever its folds
};

/// Predictions of one kind, such as those of one run per fold for each of several seeds.
using Members = std::vector<std::vector<float>>;  // (members, pairs); at least one

/// Means over the folds, and over the members, of a score within a fold; a positive pair is
/// expected to have a low prediction. An r that is undefined because predictions or drawn targets
/// are equal counts as 0; if all targets of a fold are, it is NaN, and so is the mean.
struct FoldScore {
  Estimate pearson;
  Estimate auprc;  // average precision (ranking.h); NaN without positives
  /// Score of the reference minus this one, both of the same draws; NaN for the reference itself.
  Estimate pearson_gain, auprc_gain;
  std::vector<double> pearson_of_fold, auprc_of_fold;      // means over members
  std::vector<double> pearson_of_member, auprc_of_member;  // means over folds
};

/// Scores every kind of prediction; `reference` is the index of the one that the others are
/// compared with. Intervals resample clusters and treat seeds as fixed.
std::vector<FoldScore> score_over_folds(const FoldedTargets& targets,
                                        const std::vector<Members>& predictions,
                                        std::size_t reference, const BootstrapOptions& options);

}  // namespace cdt

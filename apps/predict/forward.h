// Predictions for a list of pairs: one forward pass per distinct enhancer serves all its genes.
#pragma once

#include <vector>

#include "apps/common/inference.h"
#include "apps/common/progress.h"

namespace cdt {

/// The distinct enhancers of the pairs, ascending (the order of dna on disk).
std::vector<std::int32_t> distinct_enhancers(const std::vector<Pair>& pairs);

/// One prediction per pair, in their order, from passes over `batch` enhancers; progress counts
/// enhancers. Throws Error naming the pair if one is not finite.
std::vector<float> predict_pairs(Inference& inference, const std::vector<Pair>& pairs,
                                 std::int64_t batch, Progress& progress);

}  // namespace cdt

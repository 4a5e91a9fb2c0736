// The predictions of a program that predicts a split once.
#pragma once

#include <vector>

#include "apps/common/inference.h"

namespace cdt {

/// One prediction per pair, in their order, from passes over `batch` enhancers, with a progress
/// line unless quiet. Throws Error naming the pair if one is not finite.
std::vector<float> predict_once(Inference& inference, const std::vector<Pair>& pairs,
                                std::int64_t batch, bool quiet);

}  // namespace cdt

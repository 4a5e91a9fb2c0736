// The noise ceiling of a synthetic data set: the r that a perfect model would reach.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/dataset/truth.h"

namespace cdt {

/// r of the effects without noise with those measured, over `pairs`, whatever split they are in. If
/// truth.json has no effects without noise, what it records for the split of that name; NaN if
/// there is none.
double noise_ceiling(const std::optional<Truth>& truth, const Dataset& data,
                     const std::vector<Pair>& pairs, const std::string& split);

}  // namespace cdt

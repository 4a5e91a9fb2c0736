// The mean DNA window: what attribution and the controls of an evaluation put in place of an
// enhancer's own.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

/// The mean over the enhancers of their DNA (L, dna_dim), sums in float64. go_on() is asked between
/// rows; if it says no the result is empty.
std::vector<float> mean_window(const Dataset& data, const std::vector<std::int32_t>& enhancers,
                               const std::function<bool()>& go_on);

}  // namespace cdt

// Runs the passes of an attribution batch by batch.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "apps/attribute/options.h"
#include "apps/attribute/passes.h"
#include "apps/common/session.h"

namespace cdt {

/// Takes the results of a batch, in order; returns the number of pairs.
using ResultReceiver = std::function<std::int64_t(std::vector<EnhancerResult> results)>;

/// Explains the pairs, those of one enhancer adjacent, and passes the results to `receive`. Throws
/// Error if a signal arrives.
void explain(Inference& inference, const AttributeOptions& options, const std::vector<Pair>& pairs,
             EnhancerPasses* passes, const ResultReceiver& receive);

}  // namespace cdt

// Numbers over all pairs next to chance: for each method, for the agreement of each pair of
// methods, and for peaks at planted sites. Undefined windows (model/stats/profile.h) are excluded;
// a comparison of two methods excludes pairs in which either is undefined.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/numbers.h"
#include "apps/common/attribution_summary.h"
#include "io/dataset/truth.h"

namespace cdt {

constexpr std::int64_t kSiteTolerance =
    2;  // greatest distance in bins of a peak from the site it hits

/// Computes the summary; numbers must not be empty. readout: of the model.
AttributionSummary summarise(const std::vector<PairNumbers>& numbers, const Methods& methods,
                             const Dataset& data, const std::optional<Truth>& truth,
                             const NullOptions& options, Readout readout = Readout::kColumn);

/// Formats the summary as tables.
std::string summary_table(const AttributionSummary& summary);

}  // namespace cdt

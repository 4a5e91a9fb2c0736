// The numbers of all pairs beside chance: of each method, of the agreement of every two, and of
// peaks at planted sites. A method's numbers leave out its undefined windows
// (model/stats/profile.h), a comparison of two methods the pairs in which either is undefined.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/numbers.h"
#include "apps/common/attribution_summary.h"
#include "io/dataset/truth.h"

namespace cdt {

constexpr std::int64_t kSiteTolerance = 2;  // bins between a peak and a planted site

/// numbers must not be empty.
AttributionSummary summarise(const std::vector<PairNumbers>& numbers, const Methods& methods,
                             const Dataset& data, const std::optional<Truth>& truth,
                             const NullOptions& options);

/// The summary as tables.
std::string summary_table(const AttributionSummary& summary);

}  // namespace cdt

// How well scores rank a set of positives above the rest.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cdt {

/// Area under the ROC curve: the probability that a positive's score exceeds a negative's, ties
/// counting half (the Mann-Whitney U over the product of the two counts). NaN without positives or
/// without negatives.
double auroc(std::span<const double> positives, std::span<const double> negatives);

/// Share of the `k` highest scores that are positive. Of equal scores at the border each is as
/// likely as the other, so the expected share is given. scores and is_positive have equal length,
/// 1 <= k <= length.
double precision_at(std::int64_t k, std::span<const double> scores,
                    const std::vector<bool>& is_positive);

}  // namespace cdt

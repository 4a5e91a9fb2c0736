// Comparison of scores with the effects of occluding ranges of bins, within one window.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cdt {

/// Least number of ranges with a correlation: that of two ranges is always 1 or -1.
constexpr std::int64_t kLeastRanges = 3;

/// Number of ranges of `width` bins that fit into a window of `bins`. What is left at the end is a
/// shorter range, which has a smaller effect and a smaller sum of scores because of its size.
/// Comparing it with the others would let any scores predict any effects.
std::int64_t whole_ranges(std::int64_t bins, std::int64_t width);

/// Sum of the scores and effect of each whole range.
struct RangeEffects {
  std::vector<double> scores, effects;
};

/// Returns the numbers of the whole ranges; scores and effects are by bin, and all bins of a range
/// have its effect. Empty, so that every correlation is undefined, with fewer than kLeastRanges or
/// if the scores or the effects of these bins are not a defined window (window_state()).
RangeEffects range_effects(std::span<const float> scores, std::span<const float> effects,
                           std::int64_t width);

}  // namespace cdt

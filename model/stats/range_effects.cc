#include "model/stats/range_effects.h"

#include <numeric>

#include "engine/error.h"
#include "model/stats/profile.h"

namespace cdt {

std::int64_t whole_ranges(std::int64_t bins, std::int64_t width) {
  CDT_CHECK(bins >= 0 && width > 0, "a range has at least one bin");
  return bins / width;
}

RangeEffects range_effects(std::span<const float> scores, std::span<const float> effects,
                           std::int64_t width) {
  CDT_CHECK(scores.size() == effects.size(), "scores and effects are of the same bins");
  const std::int64_t ranges = whole_ranges(std::ssize(scores), width);
  if (ranges < kLeastRanges) return {};
  const auto step = static_cast<std::size_t>(width);
  const std::size_t compared = static_cast<std::size_t>(ranges) * step;
  for (const auto& window : {scores, effects}) {
    if (window_state(window.first(compared)) != WindowState::kDefined) return {};
  }
  RangeEffects out;
  for (std::size_t begin = 0; begin < compared; begin += step) {
    const auto range = scores.subspan(begin, step);
    out.scores.push_back(std::accumulate(range.begin(), range.end(), 0.0));
    out.effects.push_back(effects[begin]);
  }
  return out;
}

}  // namespace cdt

#include "apps/evaluation/by_distance.h"

#include <algorithm>

#include "apps/evaluation/controls.h"

namespace cdt {
namespace {

constexpr std::int64_t kBasesPerKb = 1000;

std::vector<bool> in_range(const Places& places, std::int64_t from_kb, std::int64_t to_kb) {
  std::vector<bool> out;
  for (const std::optional<Place>& place : places) {
    out.push_back(place && place->distance >= from_kb * kBasesPerKb &&
                  place->distance < to_kb * kBasesPerKb);
  }
  return out;
}

/// Positives of the pairs whose flag is set.
std::vector<bool> chosen_positives(const Positives& positives, const std::vector<bool>& flags) {
  std::vector<bool> out;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    if (flags[i]) out.push_back(positives.is_positive[i]);
  }
  return out;
}

}  // namespace

ByDistance score_by_distance(const ScoredPairs& pairs, const Places& places,
                             std::span<const float> predictions, const BaselinePrediction& baseline,
                             const Positives* positives) {
  ByDistance out{baseline.name, static_cast<std::int64_t>(places.size()), {}};
  for (std::size_t i = 0; i + 1 < kDistanceBorders.size(); ++i) {
    DistanceRange& range = out.ranges.emplace_back();
    range.from_kb = kDistanceBorders[i];
    range.to_kb = kDistanceBorders[i + 1];
    const std::vector<bool> flags = in_range(places, range.from_kb, range.to_kb);
    range.pairs = std::count(flags.begin(), flags.end(), true);
    out.elsewhere -= range.pairs;
    if (positives != nullptr) range.positives = 0;
    if (range.pairs == 0) continue;
    const ScoredPairs part = pairs.some(flags);
    range.loci = count_loci(part.loci());
    const auto score = [&](std::span<const float> all, DistanceScore* into) {
      const std::vector<float> own = chosen<float>(all, flags);
      into->pearson = part.pearson(own);
      if (positives == nullptr) return;
      const std::vector<bool> is_positive = chosen_positives(*positives, flags);
      range.positives = std::count(is_positive.begin(), is_positive.end(), true);
      into->auprc = RankingDraws(own, is_positive, part.loci(), part.bootstrap()).score().auprc;
    };
    score(predictions, &range.model);
    score(baseline.predictions, &range.baseline);
  }
  return out;
}

}  // namespace cdt

#include "apps/train/target_transform.h"

#include <algorithm>
#include <utility>

#include "apps/train/validation.h"
#include "engine/error.h"
#include "model/stats/normal.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

/// Standard deviation of the effects, the unit of scaled targets. 1 for fewer than two, which are
/// too few to train on anyway.
double scale_of(const std::vector<double>& effects) {
  if (effects.size() < 2) return 1.0;
  const double deviation = standard_deviation(effects);
  if (deviation > 0.0) return deviation;
  throw InputError("command line", "--label-transform",
                   "scale divides by the standard deviation of the train pairs' effects, which do "
                   "not differ");
}

}  // namespace

TargetTransform::TargetTransform(const TrainSettings& settings, const std::vector<Pair>& train)
    : kind_(settings.label_transform) {
  const std::vector<float> effects = column(train, &Pair::beta);
  effects_.assign(effects.begin(), effects.end());
  std::sort(effects_.begin(), effects_.end());
  units_.ranks = kind_ == kRankLabels;
  if (kind_ == kScaleLabels) units_.scale = scale_of(effects_);
  low_ = quantile_of_sorted(effects_, settings.clip_share);
  high_ = quantile_of_sorted(effects_, 1.0 - settings.clip_share);
}

float TargetTransform::target(float effect) const {
  if (kind_ == kScaleLabels) return static_cast<float>(effect / units_.scale);
  if (kind_ == kClipLabels) return static_cast<float>(std::clamp<double>(effect, low_, high_));
  if (kind_ != kRankLabels) return effect;
  const auto [first, last] = std::equal_range(effects_.begin(), effects_.end(), double{effect});
  const auto n = static_cast<double>(effects_.size());
  const double below =
      0.5 * static_cast<double>((first - effects_.begin()) + (last - effects_.begin()));
  return static_cast<float>(normal_quantile(std::clamp(below, 0.5, n - 0.5) / n));
}

std::vector<Pair> TargetTransform::with_targets(std::vector<Pair> pairs) const {
  for (Pair& pair : pairs) pair.beta = target(pair.beta);
  return pairs;
}

std::vector<float> TargetTransform::predictions(std::vector<float> outputs) const {
  return predictions_of(units_, std::move(outputs));
}

double TargetTransform::loss(std::vector<float> predictions, const std::vector<Pair>& pairs,
                             std::int64_t batch, double delta) const {
  for (float& value : predictions) value = static_cast<float>(value / units_.scale);
  return epoch_loss(predictions, with_targets(pairs), batch, delta);
}

}  // namespace cdt

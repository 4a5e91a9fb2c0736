#include "apps/train/monitor.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "io/format/text.h"
#include "model/stats/ranking.h"

namespace cdt {
namespace {

/// Whether each pair is positive, by its effect or by its label.
std::vector<bool> positive_pairs(const TrainSettings& settings, const Dataset& data,
                                 const std::vector<Pair>& pairs) {
  const std::string file = (data.directory / "pairs.tsv").string();
  const bool by_effect = std::isfinite(settings.positive_below);
  std::vector<bool> out;
  for (const Pair& pair : pairs) {
    if (!by_effect && pair.label < 0) {
      throw InputError(file, "label",
                       "there is no such column; --monitor auprc needs it, or --positive-below X");
    }
    out.push_back(by_effect ? pair.beta < settings.positive_below : pair.label == 1);
  }
  const auto positive = std::count(out.begin(), out.end(), true);
  if (positive == 0 || positive == std::ssize(out)) {
    throw InputError(file, by_effect ? "beta" : "label",
                     expected_got("--monitor auprc ranks positive val pairs above others",
                                  "some of each among " + number_of(std::ssize(out), "pair"),
                                  std::to_string(positive) + " positive"));
  }
  return out;
}

}  // namespace

Monitor::Monitor(const TrainSettings& settings, const Dataset& data, const ValidationParts& parts)
    : kind_(settings.monitor),
      by_effect_(std::isfinite(settings.positive_below)),
      parts_(parts),
      targets_(settings, data.pairs_of(Split::kTrain)),
      pairs_(parts.steering(data.pairs_of(Split::kVal))),
      batch_(settings.step_pairs()),
      delta_(settings.huber_delta) {
  if (kind_ == kMonitorAuprc && !pairs_.empty()) positive_ = positive_pairs(settings, data, pairs_);
}

std::string Monitor::name() const {
  return (parts_.leaves_out_unseen() ? "val_seen_" : "val_") + kind_;
}

double Monitor::value(const std::vector<float>& predictions,
                      const ValidationMetrics& metrics) const {
  if (!is_chosen()) return metrics.steering_r;
  const std::vector<float> own = parts_.steering(predictions);
  if (kind_ == kMonitorLoss) return targets_.loss(own, pairs_, batch_, delta_);
  // Silencing an enhancer lowers expression: the most negative prediction ranks first.
  std::vector<double> scores(own.size());
  std::transform(own.begin(), own.end(), scores.begin(), [](float v) { return -double{v}; });
  return Ranking(scores, positive_).metrics().auprc;
}

}  // namespace cdt

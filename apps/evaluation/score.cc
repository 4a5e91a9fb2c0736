#include "apps/evaluation/score.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "apps/evaluation/controls.h"
#include "model/stats/within.h"

namespace cdt {

ScoredPairs::ScoredPairs(const std::vector<Pair>& pairs, const std::vector<std::int32_t>& locus_of,
                         double noise_ceiling, const BootstrapOptions& bootstrap)
    : target_(column(pairs, &Pair::beta)),
      genes_(column(pairs, &Pair::gene)),
      enhancers_(column(pairs, &Pair::enhancer)),
      noise_ceiling_(noise_ceiling),
      bootstrap_(bootstrap) {
  for (const std::int32_t e : enhancers_) loci_.push_back(locus_of[static_cast<std::size_t>(e)]);
}

Score ScoredPairs::score(std::span<const float> predictions) const {
  Score s;
  s.metrics = compute_metrics(predictions, target_);
  s.pearson_interval = bootstrap_pearson(predictions, target_, loci_, bootstrap_);
  s.calibration_slope = {
      regression_slope(std::vector<double>(predictions.begin(), predictions.end()),
                       std::vector<double>(target_.begin(), target_.end())),
      bootstrap_slope(predictions, target_, loci_, bootstrap_)};
  s.within_genes = within(predictions, genes_);
  s.within_enhancers = within(predictions, enhancers_);
  s.share_of_ceiling = s.metrics.pearson / noise_ceiling_;
  const auto constant = [](std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [&](float v) { return v == values.front(); });
  };
  s.constant = constant(predictions);
  s.constant_effects = constant(target_);
  return s;
}

Estimate ScoredPairs::pearson(std::span<const float> predictions) const {
  return {compute_metrics(predictions, target_).pearson,
          bootstrap_pearson(predictions, target_, loci_, bootstrap_)};
}

WithinScore ScoredPairs::within(std::span<const float> predictions,
                                const std::vector<std::int32_t>& group) const {
  const WithinGroups groups(predictions, target_, group);
  WithinScore out{groups.pairs(), groups.groups(), {groups.pearson(), {kNaN, kNaN}}};
  if (std::isnan(out.pearson.value)) return out;
  std::vector<double> drawn;
  for_each_resample(loci_, bootstrap_,
                    [&](std::span<const double> times) { drawn.push_back(groups.pearson(times)); });
  out.pearson.interval = percentile_interval(std::move(drawn), bootstrap_.level);
  return out;
}

ScoredPairs ScoredPairs::some(const std::vector<bool>& flags) const {
  ScoredPairs out;
  out.target_ = chosen<float>(target_, flags);
  out.loci_ = chosen<std::int32_t>(loci_, flags);
  out.genes_ = chosen<std::int32_t>(genes_, flags);
  out.enhancers_ = chosen<std::int32_t>(enhancers_, flags);
  out.bootstrap_ = bootstrap_;
  return out;
}

}  // namespace cdt

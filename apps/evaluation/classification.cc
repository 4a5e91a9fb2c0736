#include "apps/evaluation/classification.h"

#include <algorithm>
#include <utility>

#include "io/format/text.h"

namespace cdt {
namespace {

Ranking ranking_of(std::span<const float> predictions, const std::vector<bool>& is_positive) {
  std::vector<double> scores;
  for (const float prediction : predictions) scores.push_back(-static_cast<double>(prediction));
  return {scores, is_positive};
}

/// Estimates of all members, each from value(member) and the values drawn(replicate, member).
template <class Value, class Drawn>
RankingScore estimates(std::size_t replicates, double level, const Value& value,
                       const Drawn& drawn) {
  const auto estimate = [&](double RankingMetrics::*member) {
    std::vector<double> values;
    for (std::size_t i = 0; i < replicates; ++i) values.push_back(drawn(i, member));
    return Estimate{value(member), percentile_interval(std::move(values), level)};
  };
  return {estimate(&RankingMetrics::auprc), estimate(&RankingMetrics::auroc),
          estimate(&RankingMetrics::precision_at_recall)};
}

}  // namespace

std::optional<Positives> positives_of(const std::vector<Pair>& pairs, std::optional<double> below) {
  const bool labelled =
      std::any_of(pairs.begin(), pairs.end(), [](const Pair& p) { return p.label >= 0; });
  if (!below && !labelled) return std::nullopt;
  Positives out;
  if (below) out.below = *below;
  for (const Pair& p : pairs) {
    out.is_positive.push_back(below ? as_written(p.beta) < *below : p.label == 1);
  }
  return out;
}

RankingDraws::RankingDraws(std::span<const float> predictions, const std::vector<bool>& is_positive,
                           std::span<const std::int32_t> loci, const BootstrapOptions& bootstrap)
    : level_(bootstrap.level) {
  const Ranking ranking = ranking_of(predictions, is_positive);
  value_ = ranking.metrics();
  for_each_resample(loci, bootstrap, [&](std::span<const double> times) {
    drawn_.push_back(ranking.metrics(times));
  });
}

RankingScore RankingDraws::score() const {
  return estimates(
      drawn_.size(), level_, [&](auto member) { return value_.*member; },
      [&](std::size_t i, auto member) { return drawn_[i].*member; });
}

RankingScore RankingDraws::minus(const RankingDraws& other) const {
  return estimates(
      drawn_.size(), level_, [&](auto member) { return value_.*member - other.value_.*member; },
      [&](std::size_t i, auto member) { return drawn_[i].*member - other.drawn_[i].*member; });
}

Classification classify(const Positives& positives, std::span<const float> predictions,
                        const std::vector<BaselinePrediction>& baselines,
                        std::span<const std::int32_t> loci, const BootstrapOptions& bootstrap) {
  const std::vector<double> flags(positives.is_positive.begin(), positives.is_positive.end());
  Classification out;
  out.positives = std::count(positives.is_positive.begin(), positives.is_positive.end(), true);
  out.below = positives.below;
  out.prevalence = {mean(flags), bootstrap_mean(flags, loci, bootstrap)};
  const RankingDraws model(predictions, positives.is_positive, loci, bootstrap);
  out.model = model.score();
  std::vector<double> auprc;
  for (const BaselinePrediction& b : baselines) {
    const RankingDraws baseline(b.predictions, positives.is_positive, loci, bootstrap);
    out.baselines.push_back({baseline.score(), model.minus(baseline)});
    auprc.push_back(out.baselines.back().score.auprc.value);
  }
  if (!auprc.empty()) out.strongest = strongest_of(auprc);
  return out;
}

}  // namespace cdt

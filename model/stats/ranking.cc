#include "model/stats/ranking.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {

Ranking::Ranking(std::span<const double> scores, const std::vector<bool>& is_positive) {
  CDT_CHECK(scores.size() == is_positive.size(), "a flag for every score");
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  items_.reserve(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const bool last = i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]];
    items_.push_back({order[i], is_positive[order[i]], last});
  }
}

template <class Times>
RankingMetrics Ranking::evaluate(const Times& times) const {
  double positives = 0;
  double negatives = 0;
  for (const Item& item : items_) (item.positive ? positives : negatives) += times(item.index);
  RankingMetrics out{kNaN, kNaN, kNaN};
  if (!(positives > 0)) return out;
  double above_positive = 0, above_negative = 0;  // with a higher score than this group's
  double positive = 0, negative = 0;              // of this group
  double area = 0, wins = 0;
  for (const Item& item : items_) {
    (item.positive ? positive : negative) += times(item.index);
    if (!item.last_of_score || positive + negative == 0) continue;
    wins += negative * (above_positive + 0.5 * positive);
    above_positive += positive;
    above_negative += negative;
    const double precision = above_positive / (above_positive + above_negative);
    area += precision * positive;
    if (std::isnan(out.precision_at_recall) && above_positive / positives >= kReportedRecall) {
      out.precision_at_recall = precision;
    }
    positive = negative = 0;
  }
  out.auprc = area / positives;
  if (negatives > 0) out.auroc = wins / (positives * negatives);
  return out;
}

RankingMetrics Ranking::metrics() const {
  return evaluate([](std::size_t /*index*/) { return 1.0; });
}

RankingMetrics Ranking::metrics(std::span<const double> times) const {
  CDT_CHECK(times.size() == items_.size(), "a multiplicity for every score");
  return evaluate([&](std::size_t index) { return times[index]; });
}

double auroc(std::span<const double> positives, std::span<const double> negatives) {
  std::vector<double> scores(positives.begin(), positives.end());
  scores.insert(scores.end(), negatives.begin(), negatives.end());
  std::vector<bool> is_positive(scores.size());
  std::fill_n(is_positive.begin(), positives.size(), true);
  return Ranking(scores, is_positive).metrics().auroc;
}

double precision_at(std::int64_t k, std::span<const double> scores,
                    const std::vector<bool>& is_positive) {
  CDT_CHECK(scores.size() == is_positive.size(), "a flag for every score");
  CDT_CHECK(k >= 1 && static_cast<std::size_t>(k) <= scores.size(), "k of the scores");
  std::vector<double> sorted(scores.begin(), scores.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const double border = sorted[static_cast<std::size_t>(k - 1)];
  double above = 0;
  double at_border = 0;
  double positive_above = 0;
  double positive_at_border = 0;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    const double positive = is_positive[i] ? 1.0 : 0.0;
    if (scores[i] > border) {
      ++above;
      positive_above += positive;
    } else if (scores[i] == border) {
      ++at_border;
      positive_at_border += positive;
    }
  }
  const auto wanted = static_cast<double>(k);
  return (positive_above + positive_at_border * (wanted - above) / at_border) / wanted;
}

}  // namespace cdt

#include "model/stats/ranking.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {

double auroc(std::span<const double> positives, std::span<const double> negatives) {
  if (positives.empty() || negatives.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> all(positives.begin(), positives.end());
  all.insert(all.end(), negatives.begin(), negatives.end());
  const std::vector<double> ranks = average_ranks(all);
  const auto count = static_cast<double>(positives.size());
  const double sum = std::accumulate(
      ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(positives.size()), 0.0);
  const double u = sum - 0.5 * count * (count + 1.0);
  return u / (count * static_cast<double>(negatives.size()));
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

#include "model/stats/metrics.h"

#include <cmath>
#include <vector>

#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {

Metrics compute_metrics(std::span<const float> prediction, std::span<const float> target) {
  CDT_CHECK(prediction.size() == target.size(), "as many predictions as targets");
  CDT_CHECK(!target.empty(), "metrics need at least one pair");
  const std::vector<double> x(prediction.begin(), prediction.end());
  const std::vector<double> y(target.begin(), target.end());
  Metrics m;
  m.n = static_cast<std::int64_t>(y.size());
  m.pearson = pearson(x, y);
  m.pearson_p = correlation_p(m.pearson, m.n);
  m.spearman = pearson(average_ranks(x), average_ranks(y));
  m.spearman_p = correlation_p(m.spearman, m.n);
  const double target_mean = mean(y);
  double residual = 0.0;
  double absolute = 0.0;
  double total = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double error = x[i] - y[i];
    residual += error * error;
    absolute += std::fabs(error);
    total += (y[i] - target_mean) * (y[i] - target_mean);
  }
  m.r2 = total > 0.0 ? 1.0 - residual / total : 0.0;
  m.mse = residual / static_cast<double>(m.n);
  m.mae = absolute / static_cast<double>(m.n);
  return m;
}

}  // namespace cdt

#include "model/stats/agreement.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

/// Rows in ascending order of their values. Gives ranks in samples in which rows are repeated or
/// missing, without sorting again.
class SampleRanks {
 public:
  explicit SampleRanks(std::span<const float> values) : order_(values.size()) {
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    std::sort(order_.begin(), order_.end(),
              [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
    for (std::size_t i = 1; i <= order_.size(); ++i) {
      if (i == order_.size() || values[order_[i]] != values[order_[i - 1]]) ends_.push_back(i);
    }
  }

  /// Ranks minus their mean, in the sample of `total` rows that holds row i count[i] times; ties
  /// get their mean.
  void centred(std::span<const double> count, double total, std::vector<double>* ranks) const {
    double below = 0.0;
    std::size_t begin = 0;
    for (const std::size_t end : ends_) {
      double tied = 0.0;
      for (std::size_t i = begin; i < end; ++i) tied += count[order_[i]];
      const double rank = below + 0.5 * (tied - total);
      for (std::size_t i = begin; i < end; ++i) (*ranks)[order_[i]] = rank;
      below += tied;
      begin = end;
    }
  }

 private:
  std::vector<std::size_t> order_;
  std::vector<std::size_t> ends_;  // of each run of equal values in order_
};

/// Index of each row's cluster, clusters in ascending order; returns the number of clusters.
std::size_t number_clusters(std::span<const std::int32_t> cluster, std::vector<std::size_t>* out) {
  std::map<std::int32_t, std::size_t> number;
  for (const std::int32_t id : cluster) number.emplace(id, 0);
  std::size_t next = 0;
  for (auto& [id, place] : number) place = next++;
  for (const std::int32_t id : cluster) out->push_back(number.at(id));
  return next;
}

}  // namespace

Interval bootstrap_spearman(std::span<const float> first, std::span<const float> second,
                            std::span<const std::int32_t> cluster,
                            const BootstrapOptions& options) {
  CDT_CHECK(first.size() == second.size() && second.size() == cluster.size(),
            "two values and a cluster for every row");
  const SampleRanks by_first(first), by_second(second);
  std::vector<std::size_t> cluster_of;
  const std::size_t clusters = number_clusters(cluster, &cluster_of);
  std::vector<double> count(first.size()), x(first.size()), y(first.size());
  return bootstrap_clusters(clusters, options, [&](const std::vector<std::size_t>& drawn) {
    std::vector<double> times(clusters);
    for (const std::size_t d : drawn) times[d] += 1.0;
    double total = 0.0;
    for (std::size_t i = 0; i < count.size(); ++i) total += count[i] = times[cluster_of[i]];
    by_first.centred(count, total, &x);
    by_second.centred(count, total, &y);
    double xx = 0.0, yy = 0.0, xy = 0.0;
    for (std::size_t i = 0; i < count.size(); ++i) {
      xx += count[i] * x[i] * x[i];
      yy += count[i] * y[i] * y[i];
      xy += count[i] * x[i] * y[i];
    }
    return xx > 0.0 && yy > 0.0 ? xy / std::sqrt(xx * yy) : kNaN;
  });
}

Estimate measured_pearson(std::span<const float> first, std::span<const float> second,
                          std::span<const std::int32_t> cluster, const BootstrapOptions& options) {
  return {compute_metrics(first, second).pearson,
          bootstrap_pearson(first, second, cluster, options)};
}

Estimate measured_spearman(std::span<const float> first, std::span<const float> second,
                           std::span<const std::int32_t> cluster, const BootstrapOptions& options) {
  return {compute_metrics(first, second).spearman,
          bootstrap_spearman(first, second, cluster, options)};
}

double noise_free_limit(double r) { return r > 0 ? std::sqrt(r) : kNaN; }

Estimate noise_free_limit(const Estimate& r) {
  if (!(r.value > 0)) return {};
  const auto limit = [](double end) {
    return std::isnan(end) ? kNaN : std::sqrt(std::max(end, 0.0));
  };
  return {noise_free_limit(r.value), {limit(r.interval.low), limit(r.interval.high)}};
}

}  // namespace cdt

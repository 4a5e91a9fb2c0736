// Confidence intervals that respect the design: pairs of one enhancer share its DNA window, and
// enhancers of one locus share most of it, so the bootstrap resamples clusters, not pairs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/stats/statistics.h"

namespace cdt {

struct BootstrapOptions {
  std::int64_t replicates = 2000;
  double level = 0.95;
  std::uint64_t seed = 0;
};

struct Interval {
  double low = 0;  // both NaN if the interval is undefined
  double high = 0;

  template <class V>
  void elements(V& v) {
    v(low);
    v(high);
  }
};

/// A number with its 95 % interval; NaN if undefined. In JSON {"value": x, "interval_95": [low,
/// high]}.
struct Estimate {
  double value = kNaN;
  Interval interval{kNaN, kNaN};

  template <class V>
  void fields(V& v) {
    v("value", value);
    v("interval_95", interval);
  }
};

/// Effective number of clusters, (sum of sizes)^2 / sum of sizes^2 (Kish 1965): as many of equal
/// size would make a mean vary as much. 0 without items; cluster[i] is the cluster of item i.
double effective_clusters(std::span<const std::int32_t> cluster);

/// Returns the percentile interval of a statistic when clusters are drawn with replacement.
/// `statistic` gets the indices of the drawn clusters, as many as there are clusters, and may
/// return NaN to leave the replicate out. NaN with fewer than two clusters or no defined replicate.
/// A pure function of its arguments.
Interval bootstrap_clusters(
    std::size_t clusters, const BootstrapOptions& options,
    const std::function<double(const std::vector<std::size_t>&)>& statistic);

/// Calls body(times) for each replicate of the same draws, with how often each item's cluster is
/// drawn; cluster[i] is the cluster of item i. Does nothing with fewer than two clusters.
void for_each_resample(std::span<const std::int32_t> cluster, const BootstrapOptions& options,
                       const std::function<void(std::span<const double> times)>& body);
/// The percentile interval of a statistic's values in the replicates; NaN is left out.
Interval percentile_interval(std::vector<double> values, double level);

/// Sums the parts of the drawn clusters; parts: one per cluster, each with an add() of another one.
template <class Part>
Part sum_of_drawn(const std::vector<Part>& parts, const std::vector<std::size_t>& drawn) {
  Part sum;
  for (const std::size_t d : drawn) sum.add(parts[d]);
  return sum;
}

/// Returns the percentile interval of the mean of `values`; values[i] belongs to cluster[i].
Interval bootstrap_mean(std::span<const double> values, std::span<const std::int32_t> cluster,
                        const BootstrapOptions& options);

/// Returns the percentile interval of Pearson's r between prediction and target when whole clusters
/// are drawn with replacement. cluster[i] is the cluster of pair i, any non-negative number.
/// Replicates in which r is undefined are left out; NaN with fewer than two clusters or no defined
/// replicate. A pure function of its arguments.
Interval bootstrap_pearson(std::span<const float> prediction, std::span<const float> target,
                           std::span<const std::int32_t> cluster, const BootstrapOptions& options);

/// As bootstrap_pearson(), for r(first, target) minus the mean of r(other, target) over `others`,
/// all over the same draws: whether one prediction correlates better than the others do. An
/// undefined r (of a constant prediction) counts as 0.
Interval bootstrap_pearson_difference(std::span<const float> first,
                                      std::span<const std::vector<float>> others,
                                      std::span<const float> target,
                                      std::span<const std::int32_t> cluster,
                                      const BootstrapOptions& options);

/// As bootstrap_pearson(), for the slope of the least-squares line of target on prediction.
Interval bootstrap_slope(std::span<const float> prediction, std::span<const float> target,
                         std::span<const std::int32_t> cluster, const BootstrapOptions& options);

}  // namespace cdt

// Where the peaks of many profiles lie, with intervals, and how many top bins two methods share,
// both compared with chance (model/stats/null_tests.h).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/stats/bootstrap.h"
#include "model/stats/null_tests.h"

namespace cdt {

struct PeakWindow {
  std::int64_t bins = 0, bin_bp = 0;
  double near_bp = 0;
};

/// Statistics of the peaks (bins) of many profiles; NaN without any.
struct PeakStatistics {
  double distance_mean_bp = 0, distance_median_bp = 0;  // |offset from the centre|
  double share_near = 0;                                // within near_bp
  double edge_share = 0;                                // at_edge()
};
PeakStatistics peak_statistics(std::span<const std::int64_t> peaks, const PeakWindow& window);

/// Peaks per enhancer.
using PeakGroups = std::vector<std::vector<std::int64_t>>;

struct PeakIntervals {
  Interval distance_mean_bp, distance_median_bp, share_near, edge_share;
};
/// Returns bootstrap intervals over enhancers.
PeakIntervals peak_intervals(const PeakGroups& groups, const PeakWindow& window,
                             const BootstrapOptions& options);

struct PeakTests {
  NullTest distance_mean_bp, distance_median_bp, share_near, edge_share;

  template <class V>
  void fields(V& v) {
    v.group("peak_distance_bp", [&](auto& in) {
      in("mean", distance_mean_bp);
      in("median", distance_median_bp);
      in("share_within_50kb", share_near);
    });
    v("peak_in_outer_5_percent", edge_share);
  }
};
/// Tests against independent, uniformly random bins.
PeakTests uniform_peak_tests(const PeakGroups& groups, const PeakWindow& window,
                             const NullOptions& options);
/// Tests against circular shifts; NaN for a window of one bin.
PeakTests shifted_peak_tests(const PeakGroups& groups, const PeakWindow& window,
                             const NullOptions& options);

/// The top bins of two methods for one pair.
struct TopPair {
  std::span<const std::int64_t> first, second;
  std::int32_t enhancer = 0;
};

/// Returns the probabilities that two independent random sets of k of n bins share x = 0 to k bins:
/// hypergeometric.
std::vector<double> overlap_probabilities(std::int64_t k, std::int64_t n);

/// Tests the mean number of shared bins over pairs, where all tops have `k` of `bins`, against its
/// hypergeometric expectation k^2 / bins; exact. p is at least 1e-300.
NullTest hypergeometric_overlap_test(std::span<const TopPair> pairs, std::int64_t k,
                                     std::int64_t bins);
/// As hypergeometric_overlap_test(), against circular shifts of the second top.
NullTest shifted_overlap_test(std::span<const TopPair> pairs, std::int64_t bins,
                              const NullOptions& options);

}  // namespace cdt

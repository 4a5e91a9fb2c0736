// Where the peaks of many profiles lie, with intervals and null tests (model/stats/null_tests.h).
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

/// Over the peaks (bins) of many profiles; NaN without any.
struct PeakStatistics {
  double distance_mean_bp = 0, distance_median_bp = 0;  // |offset from the centre|
  double share_near = 0;                                // within near_bp
  double edge_share = 0;                                // at_edge()
};
PeakStatistics peak_statistics(std::span<const std::int64_t> peaks, const PeakWindow& window);

/// Peaks by enhancer.
using PeakGroups = std::vector<std::vector<std::int64_t>>;

struct PeakIntervals {
  Interval distance_mean_bp, distance_median_bp, share_near, edge_share;
};
/// Bootstrap over enhancers.
PeakIntervals peak_intervals(const PeakGroups& groups, const PeakWindow& window,
                             const BootstrapOptions& options);

struct PeakTests {
  NullTest distance_mean_bp, distance_median_bp, share_near, edge_share;
};
/// Against independent, uniformly random bins.
PeakTests uniform_peak_tests(const PeakGroups& groups, const PeakWindow& window,
                             const NullOptions& options);
/// Against circular shifts; NaN for a window of one bin.
PeakTests shifted_peak_tests(const PeakGroups& groups, const PeakWindow& window,
                             const NullOptions& options);

}  // namespace cdt

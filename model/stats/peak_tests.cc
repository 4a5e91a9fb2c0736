#include "model/stats/peak_tests.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "engine/random.h"
#include "model/stats/profile.h"

namespace cdt {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr std::uint32_t kUniformStream = 0x4E01;
constexpr std::uint32_t kShiftStream = 0x4E02;

/// Statistics from the number of peaks in each bin, so that a replicate costs P + L.
class PeakTable {
 public:
  explicit PeakTable(const PeakWindow& window) : window_(window) {
    for (std::int64_t bin = 0; bin < window.bins; ++bin) {
      distance_.push_back(
          static_cast<double>(std::llabs(offset_bp(bin, window.bins, window.bin_bp))));
      nearest_first_.push_back(static_cast<std::size_t>(bin));
    }
    std::stable_sort(nearest_first_.begin(), nearest_first_.end(),
                     [&](std::size_t a, std::size_t b) { return distance_[a] < distance_[b]; });
  }

  std::vector<std::int64_t> no_peaks() const {
    return std::vector<std::int64_t>(distance_.size(), 0);
  }

  PeakStatistics of(const std::vector<std::int64_t>& counts) const {
    const auto n =
        static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
    double sum = 0.0;
    double near = 0.0;
    double edge = 0.0;
    for (std::size_t bin = 0; bin < counts.size(); ++bin) {
      const auto count = static_cast<double>(counts[bin]);
      sum += count * distance_[bin];
      if (distance_[bin] <= window_.near_bp) near += count;
      if (at_edge(static_cast<std::int64_t>(bin), window_.bins)) edge += count;
    }
    return {sum / n, median_of(counts, n), near / n, edge / n};
  }

 private:
  double median_of(const std::vector<std::int64_t>& counts, double n) const {
    double below = 0.0;
    double lower = kNaN;
    for (const std::size_t bin : nearest_first_) {
      below += static_cast<double>(counts[bin]);
      if (std::isnan(lower) && 2.0 * below >= n && below > 0.0) lower = distance_[bin];
      if (2.0 * below > n) return 0.5 * (lower + distance_[bin]);
    }
    return lower;
  }

  PeakWindow window_;
  std::vector<double> distance_;
  std::vector<std::size_t> nearest_first_;
};

std::vector<std::int64_t> flat(const PeakGroups& groups) {
  std::vector<std::int64_t> out;
  for (const auto& group : groups) out.insert(out.end(), group.begin(), group.end());
  return out;
}

/// The four statistics of many sets of peaks.
struct PeakReplicates {
  std::vector<double> distance_mean, distance_median, near, edge;

  void add(const PeakStatistics& s) {
    distance_mean.push_back(s.distance_mean_bp);
    distance_median.push_back(s.distance_median_bp);
    near.push_back(s.share_near);
    edge.push_back(s.edge_share);
  }
  PeakTests against(const PeakStatistics& s) const {
    return {null_test(s.distance_mean_bp, distance_mean),
            null_test(s.distance_median_bp, distance_median), null_test(s.share_near, near),
            null_test(s.edge_share, edge)};
  }
};

}  // namespace

PeakStatistics peak_statistics(std::span<const std::int64_t> peaks, const PeakWindow& window) {
  const PeakTable table(window);
  std::vector<std::int64_t> counts = table.no_peaks();
  for (const std::int64_t peak : peaks) ++counts[static_cast<std::size_t>(peak)];
  return table.of(counts);
}

PeakIntervals peak_intervals(const PeakGroups& groups, const PeakWindow& window,
                             const BootstrapOptions& options) {
  const PeakTable table(window);
  const auto interval = [&](double PeakStatistics::*field) {
    return bootstrap_clusters(groups.size(), options, [&](const std::vector<std::size_t>& drawn) {
      std::vector<std::int64_t> counts = table.no_peaks();
      for (const std::size_t d : drawn) {
        for (const std::int64_t peak : groups[d]) ++counts[static_cast<std::size_t>(peak)];
      }
      return table.of(counts).*field;
    });
  };
  return {interval(&PeakStatistics::distance_mean_bp),
          interval(&PeakStatistics::distance_median_bp), interval(&PeakStatistics::share_near),
          interval(&PeakStatistics::edge_share)};
}

PeakTests uniform_peak_tests(const PeakGroups& groups, const PeakWindow& window,
                             const NullOptions& options) {
  const PeakTable table(window);
  const std::vector<std::int64_t> peaks = flat(groups);
  RandomStream random(options.seed, kUniformStream);
  PeakReplicates replicates;
  for (std::int64_t i = 0; i < options.replicates && !peaks.empty(); ++i) {
    std::vector<std::int64_t> counts = table.no_peaks();
    for (std::size_t drawn = 0; drawn < peaks.size(); ++drawn) {
      ++counts[random.below(static_cast<std::uint64_t>(window.bins))];
    }
    replicates.add(table.of(counts));
  }
  return replicates.against(peak_statistics(peaks, window));
}

PeakTests shifted_peak_tests(const PeakGroups& groups, const PeakWindow& window,
                             const NullOptions& options) {
  if (window.bins < 2) return {no_test(), no_test(), no_test(), no_test()};
  const PeakTable table(window);
  RandomStream random(options.seed, kShiftStream);
  PeakReplicates replicates;
  for (std::int64_t i = 0; i < options.replicates && !groups.empty(); ++i) {
    std::vector<std::int64_t> counts = table.no_peaks();
    for (const auto& group : groups) {
      const auto shift =
          1 + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(window.bins - 1)));
      for (const std::int64_t peak : group) {
        ++counts[static_cast<std::size_t>((peak + shift) % window.bins)];
      }
    }
    replicates.add(table.of(counts));
  }
  return replicates.against(peak_statistics(flat(groups), window));
}

}  // namespace cdt

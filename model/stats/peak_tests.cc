#include "model/stats/peak_tests.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <numeric>
#include <utility>

#include "engine/error.h"
#include "engine/random.h"
#include "model/stats/profile.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr std::uint32_t kUniformStream = 0x4E01;
constexpr std::uint32_t kShiftStream = 0x4E02;

/// Computes statistics from the number of peaks per bin, so that a replicate costs P + L.
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

constexpr double kSmallest = 1e-300;
constexpr std::uint32_t kOverlapStream = 0x4E03;

/// Adds the number of shared elements of one top and the other shifted by 0 to bins - 1.
void add_shared(const TopPair& pair, std::vector<std::int64_t>* by_shift) {
  const auto bins = static_cast<std::int64_t>(by_shift->size());
  for (const std::int64_t a : pair.first) {
    for (const std::int64_t b : pair.second) {
      ++(*by_shift)[static_cast<std::size_t>((a - b + bins) % bins)];
    }
  }
}

/// Distribution of a sum of counts; entry x is P(offset + x). Tails below kSmallest are cut off.
struct SumDistribution {
  std::int64_t offset = 0;
  std::vector<double> probabilities;
};

double central(const SumDistribution& sum, double q) {
  double below = 0.0;
  for (std::size_t x = 0; x < sum.probabilities.size(); ++x) {
    below += sum.probabilities[x];
    if (below >= q) return static_cast<double>(sum.offset + static_cast<std::int64_t>(x));
  }
  return static_cast<double>(sum.offset) + static_cast<double>(sum.probabilities.size() - 1);
}

/// Convolution, with tails below kSmallest cut off.
SumDistribution added(const SumDistribution& a, const SumDistribution& b) {
  std::vector<double> p(a.probabilities.size() + b.probabilities.size() - 1, 0.0);
  for (std::size_t i = 0; i < a.probabilities.size(); ++i) {
    for (std::size_t j = 0; j < b.probabilities.size(); ++j) {
      p[i + j] += a.probabilities[i] * b.probabilities[j];
    }
  }
  const auto counts = [](double probability) { return probability >= kSmallest; };
  const auto first = std::find_if(p.begin(), p.end(), counts);
  const auto last = std::find_if(p.rbegin(), p.rend(), counts).base();
  return {a.offset + b.offset + (first - p.begin()), {first, last}};
}

/// Distribution of the sum of `count` independent draws.
SumDistribution distribution_of_sum(const std::vector<double>& probabilities, std::int64_t count) {
  SumDistribution sum{0, {1.0}};
  SumDistribution power{0, probabilities};  // for 1, 2, 4, .. draws
  for (std::int64_t left = count; left > 0; left /= 2) {
    if (left % 2 == 1) sum = added(sum, power);
    if (left > 1) power = added(power, power);
  }
  return sum;
}

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

std::vector<double> overlap_probabilities(std::int64_t k, std::int64_t n) {
  CDT_CHECK(k >= 0 && k <= n, "a top is no larger than the window");
  const auto log_choose = [](std::int64_t from, std::int64_t take) {
    return std::lgamma(static_cast<double>(from + 1)) - std::lgamma(static_cast<double>(take + 1)) -
           std::lgamma(static_cast<double>(from - take + 1));
  };
  std::vector<double> out(static_cast<std::size_t>(k + 1), 0.0);
  for (std::int64_t x = std::max<std::int64_t>(0, 2 * k - n); x <= k; ++x) {
    out[static_cast<std::size_t>(x)] =
        std::exp(log_choose(k, x) + log_choose(n - k, k - x) - log_choose(n, k));
  }
  return out;
}

NullTest hypergeometric_overlap_test(std::span<const TopPair> pairs, std::int64_t k,
                                     std::int64_t bins) {
  if (pairs.empty()) return no_test();
  std::int64_t shared = 0;
  for (const TopPair& pair : pairs) {
    shared +=
        overlap({pair.first.begin(), pair.first.end()}, {pair.second.begin(), pair.second.end()});
  }
  const SumDistribution sum =
      distribution_of_sum(overlap_probabilities(k, bins), static_cast<std::int64_t>(pairs.size()));
  double low_tail = 0.0;
  double high_tail = 0.0;
  for (std::size_t x = 0; x < sum.probabilities.size(); ++x) {
    const std::int64_t value = sum.offset + static_cast<std::int64_t>(x);
    if (value <= shared) low_tail += sum.probabilities[x];
    if (value >= shared) high_tail += sum.probabilities[x];
  }
  const auto n = static_cast<double>(pairs.size());
  const RandomPeaks one = random_peaks(bins, 1, k, 0.0);
  const double observed = static_cast<double>(shared) / n;
  const double deviation = one.overlap_sd / std::sqrt(n);
  return {observed,
          one.overlap_mean,
          deviation,
          central(sum, 0.025) / n,
          central(sum, 0.975) / n,
          std::max(two_sided(low_tail, high_tail), kSmallest),
          z_score(observed, one.overlap_mean, deviation)};
}

NullTest shifted_overlap_test(std::span<const TopPair> pairs, std::int64_t bins,
                              const NullOptions& options) {
  if (pairs.empty() || bins < 2) return no_test();
  std::map<std::int32_t, std::vector<std::int64_t>> by_enhancer;
  for (const TopPair& pair : pairs) {
    std::vector<std::int64_t>& by_shift = by_enhancer[pair.enhancer];
    by_shift.resize(static_cast<std::size_t>(bins), 0);
    add_shared(pair, &by_shift);
  }
  std::int64_t shared = 0;
  std::vector<const std::vector<std::int64_t>*> counts;
  for (const auto& [enhancer, by_shift] : by_enhancer) {
    shared += by_shift[0];
    counts.push_back(&by_shift);
  }
  const auto n = static_cast<double>(pairs.size());
  RandomStream random(options.seed, kOverlapStream);
  std::vector<double> replicates;
  for (std::int64_t i = 0; i < options.replicates; ++i) {
    std::int64_t sum = 0;
    for (const std::vector<std::int64_t>* by_shift : counts) {
      sum += (*by_shift)[1 + random.below(static_cast<std::uint64_t>(bins - 1))];
    }
    replicates.push_back(static_cast<double>(sum) / n);
  }
  return null_test(static_cast<double>(shared) / n, std::move(replicates));
}

}  // namespace cdt

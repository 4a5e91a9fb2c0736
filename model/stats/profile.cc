#include "model/stats/profile.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <numeric>

#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

std::int64_t edge_bins(std::int64_t bins) { return std::max<std::int64_t>(1, bins / 40); }

/// Median distance, in bins, of two independent uniform bins: they are d > 0 bins apart with
/// probability 2 (L - d) / L^2, and the same bin with probability 1 / L.
std::int64_t median_gap(std::int64_t bins) {
  const double n = static_cast<double>(bins);
  double below = 1.0 / n;
  std::int64_t gap = 0;
  while (below < 0.5) {
    ++gap;
    below += 2.0 * (n - static_cast<double>(gap)) / (n * n);
  }
  return gap;
}

}  // namespace

WindowState window_state(std::span<const float> scores, bool zero_dna) {
  CDT_CHECK(!scores.empty(), "a window has bins");
  constexpr double kRounding = 4.0 * std::numeric_limits<float>::epsilon();
  double least = std::numeric_limits<double>::infinity();
  double most = 0.0;
  for (const float score : scores) {
    CDT_CHECK(std::isfinite(score), "the scores of a window are finite");
    least = std::min(least, std::fabs(double{score}));
    most = std::max(most, std::fabs(double{score}));
  }
  if (zero_dna) return WindowState::kZeroDna;
  if (scores.size() == 1) return WindowState::kOneBin;
  if (most == 0.0) return WindowState::kZero;
  return most - least <= kRounding * most ? WindowState::kEqual : WindowState::kDefined;
}

const char* meaning_of(WindowState state) {
  switch (state) {
    case WindowState::kDefined:
      return "has a peak";
    case WindowState::kZeroDna:
      return "is of DNA that is all zeros";
    case WindowState::kOneBin:
      return "has one bin";
    case WindowState::kZero:
      return "is zero everywhere";
    case WindowState::kEqual:
      return "is the same in every bin";
  }
  return "";
}

std::int64_t peak_bin(std::span<const float> profile) {
  CDT_CHECK(!profile.empty(), "a profile has bins");
  return std::max_element(profile.begin(), profile.end()) - profile.begin();
}

std::vector<std::int64_t> top_bins(std::span<const float> profile, std::int64_t count) {
  std::vector<std::int64_t> order(profile.size());
  std::iota(order.begin(), order.end(), std::int64_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return profile[static_cast<std::size_t>(a)] > profile[static_cast<std::size_t>(b)];
  });
  order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
  return order;
}

std::int64_t overlap(std::vector<std::int64_t> a, std::vector<std::int64_t> b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  std::vector<std::int64_t> shared;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(shared));
  return static_cast<std::int64_t>(shared.size());
}

std::int64_t offset_bp(std::int64_t bin, std::int64_t bins, std::int64_t bin_bp) {
  return (bin - bins / 2) * bin_bp;
}

bool at_edge(std::int64_t bin, std::int64_t bins) {
  return bin < edge_bins(bins) || bin >= bins - edge_bins(bins);
}

Concentration concentration(std::span<const float> profile) {
  const double sum = std::accumulate(profile.begin(), profile.end(), 0.0);
  if (!(sum > 0.0)) return {kNaN, kNaN, kNaN};
  Concentration c;
  for (const float score : profile) {
    const double share = score / sum;
    if (share > 0.0) c.entropy -= share * std::log(share);
  }
  c.effective_bins = std::exp(c.entropy);
  c.peak_over_uniform = static_cast<double>(*std::max_element(profile.begin(), profile.end())) /
                        sum * static_cast<double>(profile.size());
  return c;
}

std::vector<float> sharpened(std::span<const float> profile, double temperature) {
  CDT_CHECK(temperature > 0.0, "a temperature is positive");
  std::vector<double> powers;
  // Relative to the largest, so that a low temperature does not underflow everywhere.
  const double largest = *std::max_element(profile.begin(), profile.end()) + 1e-10;
  for (const double a : profile) {
    powers.push_back(std::exp(std::log((a + 1e-10) / largest) / temperature));
  }
  const double sum = std::accumulate(powers.begin(), powers.end(), 0.0);
  std::vector<float> out;
  for (const double power : powers) out.push_back(static_cast<float>(power / sum));
  return out;
}

RandomPeaks random_peaks(std::int64_t bins, std::int64_t bin_bp, std::int64_t top, double near_bp) {
  const double n = static_cast<double>(bins);
  const double k = static_cast<double>(top);
  RandomPeaks r;
  std::vector<double> distances;
  for (std::int64_t bin = 0; bin < bins; ++bin) {
    distances.push_back(static_cast<double>(std::llabs(offset_bp(bin, bins, bin_bp))));
    r.share_near += distances.back() <= near_bp ? 1.0 / n : 0.0;
    r.edge_share += at_edge(bin, bins) ? 1.0 / n : 0.0;
  }
  r.distance_mean_bp = mean(distances);
  r.distance_median_bp = median(distances);
  double squares = 0.0;
  for (const double d : distances) squares += (d - r.distance_mean_bp) * (d - r.distance_mean_bp);
  r.distance_sd_bp = std::sqrt(squares / n);
  r.between_mean_bp = (n * n - 1.0) / (3.0 * n) * static_cast<double>(bin_bp);
  r.between_median_bp = static_cast<double>(median_gap(bins) * bin_bp);
  r.overlap_mean = k * k / n;
  if (bins > 1) r.overlap_sd = std::sqrt(r.overlap_mean * (1.0 - k / n) * (n - k) / (n - 1.0));
  return r;
}

}  // namespace cdt

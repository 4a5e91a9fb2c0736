#include "apps/report/nulls.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace cdt {
namespace {

/// Shifts and scales to mean 0 and length 1, so that the inner product of two results is their
/// Pearson correlation.
std::vector<double> standardised(std::vector<double> values) {
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  for (double& value : values) value -= mean;
  const double length =
      std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
  for (double& value : values) value /= length;
  return values;
}

}  // namespace

NullCount shifted_count(const PeakGroups& groups, std::int64_t bins, std::int64_t width) {
  NullCount out;
  double variance = 0;
  const auto all = static_cast<double>(bins);
  std::vector<std::int64_t> at(static_cast<std::size_t>(bins));
  for (const std::vector<std::int64_t>& peaks : groups) {
    std::fill(at.begin(), at.end(), 0);
    for (const std::int64_t peak : peaks) ++at[static_cast<std::size_t>(peak)];
    const double mean = static_cast<double>(peaks.size()) * static_cast<double>(width) / all;
    std::int64_t inside = 0;
    for (std::int64_t i = 0; i < width; ++i) inside += at[static_cast<std::size_t>(i)];
    double square = 0;
    for (std::int64_t shift = 0; shift < bins; ++shift) {
      square += static_cast<double>(inside) * static_cast<double>(inside);
      inside += at[static_cast<std::size_t>((shift + width) % bins)] -
                at[static_cast<std::size_t>(shift)];
    }
    out.mean += mean;
    variance += square / all - mean * mean;
  }
  out.sd = std::sqrt(std::max(variance, 0.0));
  return out;
}

std::vector<double> shifted_overlap(std::span<const std::int64_t> a,
                                    std::span<const std::int64_t> b, std::int64_t bins) {
  // The overlap at shift s is the number of pairs (i, j) with j - i = s.
  std::vector<std::int64_t> shared(static_cast<std::size_t>(bins));
  for (const std::int64_t i : a) {
    for (const std::int64_t j : b) ++shared[static_cast<std::size_t>((j - i + bins) % bins)];
  }
  std::vector<double> out(std::max(a.size(), b.size()) + 1);
  for (const std::int64_t count : shared) {
    out[static_cast<std::size_t>(count)] += 1.0 / static_cast<double>(bins);
  }
  return out;
}

double shifted_correlation_sd(const std::vector<ProfilePairs>& enhancers) {
  double variance = 0;  // of the sum over pairs
  std::size_t pairs = 0;
  for (const ProfilePairs& enhancer : enhancers) {
    const std::size_t bins = enhancer.scores.front().size();
    std::vector<double> sums(bins);
    for (std::size_t pair = 0; pair < enhancer.scores.size(); ++pair) {
      const std::vector<double> scores = standardised(enhancer.scores[pair]);
      const std::vector<double> effects = standardised(enhancer.effects[pair]);
      for (std::size_t shift = 0; shift < bins; ++shift) {
        const auto turn = static_cast<std::ptrdiff_t>(shift);
        sums[shift] +=
            std::inner_product(scores.begin() + turn, scores.end(), effects.begin(), 0.0);
        sums[shift] +=
            std::inner_product(scores.begin(), scores.begin() + turn, effects.end() - turn, 0.0);
      }
    }
    pairs += enhancer.scores.size();
    for (const double sum : sums) variance += sum * sum / static_cast<double>(bins);
  }
  return std::sqrt(variance) / static_cast<double>(pairs);
}

}  // namespace cdt

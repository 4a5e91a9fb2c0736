#include "apps/report/nulls.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace cdt {

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

}  // namespace cdt

#include "model/stats/null_tests.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

double two_sided(double low_tail, double high_tail) {
  return std::min(1.0, 2.0 * std::min(low_tail, high_tail));
}

ResampledP resampled_p(std::int64_t as_low, std::int64_t as_high, std::int64_t n) {
  if (n < 1) return {};
  const auto replicates = static_cast<double>(n);
  const auto tail = [&](std::int64_t as_far) {
    return (1.0 + static_cast<double>(as_far)) / (1.0 + replicates);
  };
  const double p = two_sided(tail(as_low), tail(as_high));
  const double error = std::sqrt(replicates * p * (2.0 - p)) / (1.0 + replicates);
  return {p, error, std::min(as_low, as_high) == 0};
}

NullTest no_test() { return {kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN}; }

const NullTest& weaker_test(const NullTest& a, const NullTest& b) {
  if (std::isnan(a.p)) return a;
  return b.p <= a.p ? a : b;
}

double z_score(double observed, double expectation, double deviation) {
  return deviation > 0.0 ? (observed - expectation) / deviation : kNaN;
}

NullTest null_test(double observed, std::vector<double> replicates) {
  if (replicates.empty() || std::isnan(observed)) return no_test();
  const auto n = static_cast<double>(replicates.size());
  std::int64_t as_low = 0;
  std::int64_t as_high = 0;
  double squares = 0.0;
  const double expectation = mean(replicates);
  for (const double r : replicates) {
    as_low += r <= observed ? 1 : 0;
    as_high += r >= observed ? 1 : 0;
    squares += (r - expectation) * (r - expectation);
  }
  std::sort(replicates.begin(), replicates.end());
  const double deviation = std::sqrt(squares / n);
  const ResampledP p = resampled_p(as_low, as_high, static_cast<std::int64_t>(replicates.size()));
  return {observed,
          expectation,
          deviation,
          quantile_of_sorted(replicates, 0.025),
          quantile_of_sorted(replicates, 0.975),
          p.p,
          z_score(observed, expectation, deviation),
          p.error,
          p.at_floor};
}

}  // namespace cdt

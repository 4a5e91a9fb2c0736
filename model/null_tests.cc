#include "model/null_tests.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "model/statistics.h"

namespace cdt {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

}  // namespace

NullTest no_test() { return {kNaN, kNaN, kNaN, kNaN, kNaN, kNaN, kNaN}; }

double z_score(double observed, double expectation, double deviation) {
  return deviation > 0.0 ? (observed - expectation) / deviation : kNaN;
}

NullTest null_test(double observed, std::vector<double> replicates) {
  if (replicates.empty() || std::isnan(observed)) return no_test();
  const auto n = static_cast<double>(replicates.size());
  double low_tail = 1.0;
  double high_tail = 1.0;
  double squares = 0.0;
  const double expectation = mean(replicates);
  for (const double r : replicates) {
    low_tail += r <= observed ? 1.0 : 0.0;
    high_tail += r >= observed ? 1.0 : 0.0;
    squares += (r - expectation) * (r - expectation);
  }
  std::sort(replicates.begin(), replicates.end());
  const double deviation = std::sqrt(squares / n);
  return {observed,
          expectation,
          deviation,
          quantile_of_sorted(replicates, 0.025),
          quantile_of_sorted(replicates, 0.975),
          std::min(1.0, 2.0 * std::min(low_tail, high_tail) / (n + 1.0)),
          z_score(observed, expectation, deviation)};
}

}  // namespace cdt

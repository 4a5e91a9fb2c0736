#include "model/stats/null_tests.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

/// SciPy counts a table as no more probable up to this relative difference.
constexpr double kSlack = 1.0 + 1e-14;

/// Probabilities of all counts a that the margins allow, in ascending order from `least`.
struct Hypergeometric {
  std::int64_t least = 0;
  std::vector<double> probability;
};

/// Computed by ratios of neighbours, outwards from the mode, so no factorials lose digits.
Hypergeometric hypergeometric(const CountTable& t) {
  const std::int64_t row = t.a + t.b;
  const std::int64_t column = t.a + t.c;
  const std::int64_t all = row + t.c + t.d;
  const auto x = [](std::int64_t n) { return static_cast<double>(n); };
  Hypergeometric h;
  h.least = std::max<std::int64_t>(0, row + column - all);
  const std::int64_t most = std::min(row, column);
  h.probability.assign(static_cast<std::size_t>(most - h.least + 1), 0.0);
  const auto at = [&](std::int64_t a) -> double& {
    return h.probability[static_cast<std::size_t>(a - h.least)];
  };
  const auto mode =
      std::clamp(static_cast<std::int64_t>((x(row) + 1.0) * (x(column) + 1.0) / (x(all) + 2.0)),
                 h.least, most);
  at(mode) = 1.0;
  for (std::int64_t a = mode; a < most; ++a) {
    at(a + 1) = at(a) * (x(row - a) / x(a + 1)) * (x(column - a) / x(all - row - column + a + 1));
  }
  for (std::int64_t a = mode; a > h.least; --a) {
    at(a - 1) = at(a) * (x(a) / x(row - a + 1)) * (x(all - row - column + a) / x(column - a + 1));
  }
  const double sum = std::accumulate(h.probability.begin(), h.probability.end(), 0.0);
  for (double& p : h.probability) p /= sum;
  return h;
}

double odds_ratio(const CountTable& t) {
  const double up = static_cast<double>(t.a) * static_cast<double>(t.d);
  const double down = static_cast<double>(t.b) * static_cast<double>(t.c);
  if (down > 0.0) return up / down;
  return up > 0.0 ? std::numeric_limits<double>::infinity() : kNaN;
}

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

FisherTest fisher_exact(const CountTable& table) {
  CDT_CHECK(table.a >= 0 && table.b >= 0 && table.c >= 0 && table.d >= 0,
            "counts are not negative");
  const Hypergeometric h = hypergeometric(table);
  const auto here = static_cast<std::size_t>(table.a - h.least);
  FisherTest test{odds_ratio(table), 0.0, 0.0, 0.0, 0.0};
  // Sums each tail smallest first, so that small probabilities are not lost.
  for (std::size_t i = 0; i <= here; ++i) test.p_less += h.probability[i];
  for (std::size_t i = h.probability.size(); i-- > here;) test.p_greater += h.probability[i];
  std::vector<double> ascending = h.probability;
  std::sort(ascending.begin(), ascending.end());
  for (const double p : ascending) {
    if (p <= h.probability[here] * kSlack) test.p_two_sided += p;
  }
  test.p_less = std::min(test.p_less, 1.0);
  test.p_greater = std::min(test.p_greater, 1.0);
  test.p_doubled = two_sided(test.p_less, test.p_greater);
  test.p_two_sided = std::min(test.p_two_sided, 1.0);
  return test;
}

std::vector<double> benjamini_hochberg(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p[i] > p[j]; });
  std::vector<double> q(p.size(), kNaN);
  const auto count = static_cast<double>(order.size());
  double least = 1.0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double rank = count - static_cast<double>(i);
    least = std::min(least, p[order[i]] * count / rank);
    q[order[i]] = least;
  }
  return q;
}

}  // namespace cdt

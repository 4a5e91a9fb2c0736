#include "model/stats/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr double kTiny = 1e-300;

/// The continued fraction of I_x(a, b) (DLMF 8.17.22), converging fast for x < (a+1)/(a+b+2).
double beta_fraction(double a, double b, double x) {
  const auto away_from_zero = [](double v) { return std::fabs(v) < kTiny ? kTiny : v; };
  double c = 1.0;
  double d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
  double value = d;
  for (int m = 1; m <= 100000; ++m) {
    const double even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
    d = 1.0 / away_from_zero(1.0 + even * d);
    c = away_from_zero(1.0 + even / c);
    value *= d * c;
    const double odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
    d = 1.0 / away_from_zero(1.0 + odd * d);
    c = away_from_zero(1.0 + odd / c);
    const double change = d * c;
    value *= change;
    if (std::fabs(change - 1.0) < 1e-16) break;
  }
  return value;
}

/// lgamma(z) - Stirling's leading part, by its asymptotic series (z >= 10).
double stirling_rest(double z) {
  const double w = 1.0 / (z * z);
  return (1.0 / 12.0 + w * (-1.0 / 360.0 + w * (1.0 / 1260.0 + w * (-1.0 / 1680.0)))) / z;
}

/// ln B(a, b). For a large argument lgamma(a) - lgamma(a + b) is a small difference of large
/// numbers, so the large parts are cancelled by hand.
double log_beta(double a, double b) {
  const double small = std::min(a, b);
  const double large = std::max(a, b);
  if (large < 10.0) return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b);
  const double difference = (large - 0.5) * -std::log1p(small / large) -
                            small * std::log(large + small) + small + stirling_rest(large) -
                            stirling_rest(large + small);
  return std::lgamma(small) + difference;
}

bool is_constant(std::span<const double> values) {
  return std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
}

/// Sums of squares and products about the means.
struct Squares {
  double xx = 0, yy = 0, xy = 0;
};

Squares squares_of(std::span<const double> x, std::span<const double> y) {
  const double mx = mean(x);
  const double my = mean(y);
  Squares out;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double dx = x[i] - mx;
    const double dy = y[i] - my;
    out.xx += dx * dx;
    out.yy += dy * dy;
    out.xy += dx * dy;
  }
  return out;
}

}  // namespace

double incomplete_beta(double a, double b, double x, double y) {
  if (x <= 0.0) return 0.0;
  if (y <= 0.0) return 1.0;
  const double log_front = a * (x > 0.5 ? std::log1p(-y) : std::log(x)) +
                           b * (y > 0.5 ? std::log1p(-x) : std::log(y)) - log_beta(a, b);
  if (x < (a + 1.0) / (a + b + 2.0)) {
    return std::exp(log_front - std::log(a)) * beta_fraction(a, b, x);
  }
  return 1.0 - std::exp(log_front - std::log(b)) * beta_fraction(b, a, y);
}

double correlation_p(double r, std::int64_t n) {
  if (n < 2 || std::isnan(r)) return kNaN;
  if (n == 2) return 1.0;
  const double size = std::min(std::fabs(r), 1.0);
  return incomplete_beta(0.5 * static_cast<double>(n - 2), 0.5, (1.0 - size) * (1.0 + size),
                         size * size);
}

double mean(std::span<const double> x) {
  if (x.empty()) return kNaN;
  return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
}

double pearson(std::span<const double> x, std::span<const double> y) {
  CDT_CHECK(x.size() == y.size(), "pearson of sequences of unequal length");
  if (x.size() < 2 || is_constant(x) || is_constant(y)) return kNaN;
  const Squares s = squares_of(x, y);
  return std::clamp(s.xy / (std::sqrt(s.xx) * std::sqrt(s.yy)), -1.0, 1.0);
}

double regression_slope(std::span<const double> x, std::span<const double> y) {
  CDT_CHECK(x.size() == y.size(), "slope of sequences of unequal length");
  if (x.size() < 2 || is_constant(x)) return kNaN;
  const Squares s = squares_of(x, y);
  return s.xy / s.xx;
}

std::vector<double> average_ranks(std::span<const double> x) {
  std::vector<std::size_t> order(x.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return x[a] < x[b]; });
  std::vector<double> ranks(x.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin + 1;
    while (end < order.size() && x[order[end]] == x[order[begin]]) ++end;
    const double rank = 0.5 * static_cast<double>(begin + 1 + end);
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = rank;
    begin = end;
  }
  return ranks;
}

double standard_deviation(std::span<const double> x) {
  if (x.size() < 2) return kNaN;
  const double middle = mean(x);
  double squares = 0.0;
  for (const double value : x) squares += (value - middle) * (value - middle);
  return std::sqrt(squares / static_cast<double>(x.size() - 1));
}

double quantile_of_sorted(std::span<const double> ascending, double q) {
  if (ascending.empty()) return kNaN;
  const double at = q * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  if (below + 1 >= ascending.size()) return ascending.back();
  const double part = at - static_cast<double>(below);
  return ascending[below] + part * (ascending[below + 1] - ascending[below]);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return quantile_of_sorted(values, 0.5);
}

Metrics compute_metrics(std::span<const float> prediction, std::span<const float> target) {
  CDT_CHECK(prediction.size() == target.size(), "as many predictions as targets");
  CDT_CHECK(!target.empty(), "metrics need at least one pair");
  const std::vector<double> x(prediction.begin(), prediction.end());
  const std::vector<double> y(target.begin(), target.end());
  Metrics m;
  m.n = static_cast<std::int64_t>(y.size());
  m.pearson = pearson(x, y);
  m.pearson_p = correlation_p(m.pearson, m.n);
  m.spearman = pearson(average_ranks(x), average_ranks(y));
  m.spearman_p = correlation_p(m.spearman, m.n);
  const double target_mean = mean(y);
  double residual = 0.0;
  double absolute = 0.0;
  double total = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double error = x[i] - y[i];
    residual += error * error;
    absolute += std::fabs(error);
    total += (y[i] - target_mean) * (y[i] - target_mean);
  }
  m.r2 = total > 0.0 ? 1.0 - residual / total : kNaN;
  m.mse = residual / static_cast<double>(m.n);
  m.mae = absolute / static_cast<double>(m.n);
  return m;
}

}  // namespace cdt

// The statistics behind every reported number: correlations, their p-values, ranks and quantiles,
// and the metrics of a prediction. All sums are in float64 and in order, so that results are the
// same bits everywhere.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace cdt {

/// The value of an undefined number in every report.
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// Regularised incomplete beta function I_x(a, b), a, b > 0, 0 <= x <= 1; y is 1 - x, given
/// separately so that neither end loses digits. Continued fraction after modified Lentz, its
/// prefactor in log space: relative error about 1e-13 down to the smallest double.
double incomplete_beta(double a, double b, double x, double y);

/// Two-sided p of a correlation r over n points against independence: I_{1-r^2}((n-2)/2, 1/2). This
/// is SciPy's p of pearsonr (exact for normal variables) and of spearmanr (t with n-2 degrees of
/// freedom). NaN for n < 2 or NaN r; 1 for n = 2.
double correlation_p(double r, std::int64_t n);

/// Pearson correlation of two sequences of equal length; NaN if undefined: fewer than two points or
/// a constant sequence.
double pearson(std::span<const double> x, std::span<const double> y);

/// Slope of the least-squares line of y on x, two sequences of equal length; NaN if undefined:
/// fewer than two points or a constant x.
double regression_slope(std::span<const double> x, std::span<const double> y);

/// Ranks from 1; ties get the mean of their ranks.
std::vector<double> average_ranks(std::span<const double> x);

double mean(std::span<const double> x);
/// Standard deviation with divisor n - 1; NaN for fewer than two values.
double standard_deviation(std::span<const double> x);
/// Quantile q in [0, 1] of ascending values, by linear interpolation (NumPy's default); NaN if
/// empty.
double quantile_of_sorted(std::span<const double> ascending, double q);
/// Median of values in any order; NaN if empty.
double median(std::vector<double> values);

/// The metrics of the reference's evaluation (docs/paper-vs-code.md): note that r2 is the
/// coefficient of determination, not the square of r.
struct Metrics {
  std::int64_t n = 0;
  double pearson = 0, pearson_p = 0;    // NaN if undefined, e.g. a constant prediction
  double spearman = 0, spearman_p = 0;  // average ranks for ties, t-based p; NaN likewise
  double r2 = 0;                        // 1 - SSres / SStot; NaN if the targets are constant
  double mse = 0, mae = 0;

  /// Makes what depends on the size of predictions NaN: r2, mse and mae.
  void drop_sizes() { r2 = mse = mae = std::numeric_limits<double>::quiet_NaN(); }
};

/// Metrics of float32 predictions and targets of equal length, n >= 1, computed in float64.
Metrics compute_metrics(std::span<const float> prediction, std::span<const float> target);

}  // namespace cdt

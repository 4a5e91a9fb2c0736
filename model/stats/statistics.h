// The statistics behind every reported number: correlations, their p-values, ranks and quantiles.
// All sums in float64, in order, so that results are the same bits everywhere.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cdt {

/// Regularised incomplete beta function I_x(a, b), a, b > 0, 0 <= x <= 1; y is 1 - x, given
/// separately so that neither end loses digits. Continued fraction after modified Lentz, its
/// prefactor in log space: relative error about 1e-13 down to the smallest double.
double incomplete_beta(double a, double b, double x, double y);

/// Two-sided p of a correlation r over n points against independence: I_{1-r^2}((n-2)/2, 1/2).
/// It is SciPy's p of pearsonr (exact for normal variables) and of spearmanr (t with n-2 degrees
/// of freedom). NaN for n < 2 or NaN r; 1 for n = 2.
double correlation_p(double r, std::int64_t n);

/// Pearson correlation of two sequences of equal length; NaN where it is undefined: fewer than two
/// points or a constant sequence.
double pearson(std::span<const double> x, std::span<const double> y);

/// Ranks from 1; ties get the mean of their ranks.
std::vector<double> average_ranks(std::span<const double> x);

double mean(std::span<const double> x);
/// Quantile q in [0, 1] of ascending values by linear interpolation (NumPy's default); NaN if
/// empty.
double quantile_of_sorted(std::span<const double> ascending, double q);
/// Median of values in any order; NaN if empty.
double median(std::vector<double> values);

}  // namespace cdt

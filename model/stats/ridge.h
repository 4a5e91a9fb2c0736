// Exact ridge regression by normal equations in float64 (Hoerl & Kennard, Technometrics 12, 1970).
// It minimises
//   sum over rows (y - intercept - x . w)^2 + rows * sum over columns penalty_c * (sd_c * w_c)^2,
// so a penalty is in units of the columns' variance. The penalty of most columns is chosen by
// cross-validation over groups of rows.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace cdt {

inline constexpr std::array<double, 8> kRidgePenalties = {1e-3, 1e-2, 1e-1, 1, 1e1, 1e2, 1e3, 1e4};
inline constexpr double kLightPenalty = kRidgePenalties.front();
/// Used with fewer than two groups, when nothing can be held out.
inline constexpr double kUnchosenPenalty = 1;
inline constexpr int kRidgeFolds = 5;

struct RidgeData {
  std::int64_t columns = 0;
  std::vector<double> x;            // (rows, columns), finite
  std::vector<double> y;            // (rows)
  std::vector<std::int32_t> group;  // (rows): rows of one group are held out together
  /// The first `light` columns always have kLightPenalty: they are predictors with much prior
  /// evidence, which many weaker ones should not drown out.
  std::int64_t light = 0;
};

struct Ridge {
  double intercept = 0;
  std::vector<double> weights;     // one per column; 0 for columns that do not vary
  double penalty = kLightPenalty;  // for the columns past the light ones

  /// Mean squared error of the chosen penalty over all rows, each predicted from the other folds; 0
  /// with fewer than two groups.
  double held_out_mse = 0;

  double predict(std::span<const double> row) const;
};

/// Fits a ridge regression. Tries each of kRidgePenalties on kRidgeFolds folds of whole groups
/// (fewer if there are fewer groups) and uses the one with the smallest squared error over all
/// rows, of equals the largest. Groups are assigned to folds by size, largest first, each to the
/// smallest fold. Needs at least one row, and memory for three (columns, columns) matrices and `x`;
/// calls poll().
Ridge fit_ridge(RidgeData data, int threads);

}  // namespace cdt

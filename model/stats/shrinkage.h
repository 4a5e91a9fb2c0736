// Means of groups of unequal, often small size, shrunk towards their common centre (parametric
// empirical Bayes; Morris, JASA 78, 1983, pp. 47-55). The model is value = centre + group + noise;
// the two variances are estimated from the values by the usual analysis-of-variance method of
// moments for unbalanced data (Searle, Casella & McCulloch, Variance Components, 1992, chapter 3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cdt {

struct ShrunkMeans {
  /// The groups' common centre: their means weighted by inverse variance, or the mean of all values
  /// if `ratio` is infinite.
  double centre = 0;
  /// k, the variance within groups divided by the variance between groups: a group of n values
  /// keeps n / (n + k) of its distance from the centre. Infinity if there is no visible variance
  /// between groups, or the two cannot be separated (fewer than two groups, or no group of two
  /// values).
  double ratio = 0;
  std::vector<double> means;  // one per group; the centre if a group has no value
};

/// Computes the shrunk means. group[i] in [0, groups) is the group of values[i]; at least one
/// value, all finite.
ShrunkMeans shrink_means(std::span<const double> values, std::span<const std::int32_t> group,
                         std::size_t groups);

/// Returns for each value the mean of its group without the values of the same unit, shrunk to
/// `centre` by `ratio` as in shrink_means(); `centre` if the group has no other value. With a unit
/// of its own for each value, only the value itself is left out. Centre and ratio are those of all
/// values: if they were recomputed without the unit, they would reveal what is left out.
std::vector<double> leave_unit_out_means(std::span<const double> values,
                                         std::span<const std::int32_t> group, std::size_t groups,
                                         std::span<const std::int32_t> unit);

}  // namespace cdt

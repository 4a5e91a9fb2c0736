// Means of groups of unequal, often small size, pulled towards their common centre (parametric
// empirical Bayes; Morris, JASA 78, 1983, pp. 47-55). The model is value = centre + group + noise,
// both with variances of their own, which come out of the values by the usual analysis-of-variance
// method of moments for unbalanced data (Searle, Casella & McCulloch, Variance Components, 1992,
// chapter 3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace cdt {

struct ShrunkMeans {
  /// The groups' common centre: their means weighted by the inverse of their variance. It is the
  /// mean of all values where `ratio` is infinite.
  double centre = 0;
  /// k, the variance within groups over that between groups: a group of n values keeps n / (n + k)
  /// of its distance from the centre. Infinity where no variance between groups shows, or the two
  /// cannot be told apart (fewer than two groups, or no group of two values).
  double ratio = 0;
  std::vector<double> means;  // one per group; the centre where a group has no value
};

/// group[i] in [0, groups) is the group of values[i]; at least one value, all finite.
ShrunkMeans shrink_means(std::span<const double> values, std::span<const std::int32_t> group,
                         std::size_t groups);

/// For each value the mean of its group without it, drawn to `centre` by `ratio` as shrink_means()
/// does; `centre` where the group has no other value. Centre and ratio stay those of all values: if
/// each value had its own, made without it, both would tell the value they lack.
std::vector<double> leave_one_out_means(std::span<const double> values,
                                        std::span<const std::int32_t> group, std::size_t groups);

}  // namespace cdt

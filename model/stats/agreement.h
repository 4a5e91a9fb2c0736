// Agreement of two noisy measurements of the same things, and the correlation that it allows a
// prediction to reach.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "model/stats/bootstrap.h"

namespace cdt {

/// Fewer rows than this have no meaningful correlation.
inline constexpr std::size_t kFewestMeasuredTwice = 3;

/// As bootstrap_pearson(), for Spearman's rho, with new ranks for the rows of every draw. Values
/// are sorted once, so a draw takes time proportional to the number of rows.
Interval bootstrap_spearman(std::span<const float> first, std::span<const float> second,
                            std::span<const std::int32_t> cluster, const BootstrapOptions& options);

/// r of two measurements of the same rows, with an interval over clusters of rows.
Estimate measured_pearson(std::span<const float> first, std::span<const float> second,
                          std::span<const std::int32_t> cluster, const BootstrapOptions& options);
Estimate measured_spearman(std::span<const float> first, std::span<const float> second,
                           std::span<const std::int32_t> cluster, const BootstrapOptions& options);

/// r that values without noise would reach with either of two measurements that correlate with `r`,
/// if the noise of both is independent and equally strong: its square root (Spearman's correction
/// for attenuation). NaN unless r is above 0.
double noise_free_limit(double r);
/// As noise_free_limit(double), also for both ends of the interval; a negative end counts as 0.
Estimate noise_free_limit(const Estimate& r);

}  // namespace cdt

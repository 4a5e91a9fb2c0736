// Null distributions that the figures draw as chance.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/stats/peak_tests.h"

namespace cdt {

constexpr double kTwoSided95 =
    1.959963984540054;  // of a normal distribution, in standard deviations

/// Expected number in a cell and its standard deviation.
struct NullCount {
  double mean = 0;
  double sd = 0;
};

/// Number of peaks in `width` neighbouring bins of `bins` when the peaks of each enhancer are
/// shifted together around the window by a uniformly random amount. This preserves the similarity
/// of an enhancer's genes, so the band is not too narrow. Exact, over all shifts.
NullCount shifted_count(const PeakGroups& groups, std::int64_t bins, std::int64_t width);

/// Share of each number of shared elements, 0 to k, averaged over all circular shifts of one set of
/// bins against the other. This preserves the similarity of neighbouring bins.
std::vector<double> shifted_overlap(std::span<const std::int64_t> a,
                                    std::span<const std::int64_t> b, std::int64_t bins);

/// Scores and effects of the pairs of one enhancer, both by bin or range, never constant.
struct ProfilePairs {
  std::vector<std::vector<double>> scores, effects;
};

/// Standard deviation of the mean over all pairs of Pearson's r between scores and effects when the
/// scores of each enhancer are shifted together around the window by a uniformly random amount; its
/// expectation is exactly 0. Exact, over all shifts.
double shifted_correlation_sd(const std::vector<ProfilePairs>& enhancers);

}  // namespace cdt

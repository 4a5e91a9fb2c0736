// Statistics of a profile (one non-negative score per DNA bin), when a window of scores is defined
// at all, and the values the statistics would have if the peak were in a uniformly random bin.
// Distances are between left edges of bins; the window's centre is the left edge of bin L / 2 (bin
// 448 of 896, as in the paper's figures).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace cdt {

constexpr std::int64_t kTopBins = 20;  // top bins per window, as in the paper's Figure 4
/// Whether every bin of a window is a top bin, so that top bins say nothing about any window.
constexpr bool all_are_top(std::int64_t bins) { return bins <= kTopBins; }
constexpr double kNearBp = 50000.0;  // from a peak to the centre, as in the paper's Figure 3

/// Whether a window of scores is informative about position. One that is not is undefined: it has
/// no peak and no top bins, and is counted and left out in all summaries of windows.
enum class WindowState : std::uint8_t {
  kDefined,
  kZeroDna,  // the DNA behind it is all zeros
  kOneBin,
  kZero,   // all scores are zero
  kEqual,  // all scores have equal magnitude, within rounding
};
constexpr std::size_t kWindowStates = 5;

/// Returns the first state that applies, in this order: zero DNA, one bin, all zero, all equal.
/// Only the magnitudes of scores count; they must be finite (Error otherwise). Equal means within
/// rounding: two scores of one true value, each after at most four roundings of 2^-24 (an
/// exponential, a division and a mean for an attention row; a sum, a root and a mean for a norm),
/// differ by at most 8 * 2^-24, four times float32's epsilon, relative to the largest.
WindowState window_state(std::span<const float> scores, bool zero_dna = false);

/// Describes what a state means for a window, e.g. "is zero everywhere".
const char* meaning_of(WindowState state);

/// Returns the bin of the largest score, the first of equals (NumPy's argmax).
std::int64_t peak_bin(std::span<const float> profile);

/// Returns the `count` bins with the largest scores, largest first; of equal scores the lower bin
/// comes first. The first is peak_bin().
std::vector<std::int64_t> top_bins(std::span<const float> profile, std::int64_t count);

/// Number of elements that two sets of distinct bins share.
std::int64_t overlap(std::vector<std::int64_t> a, std::vector<std::int64_t> b);

/// Signed distance of a bin from the window's centre.
std::int64_t offset_bp(std::int64_t bin, std::int64_t bins, std::int64_t bin_bp);

/// True if the bin is in the outer 5 % of the window (2.5 % at each end, at least one bin).
bool at_edge(std::int64_t bin, std::int64_t bins);

/// How concentrated a profile is, with its scores divided by their sum. NaN if they are all zero.
/// Equal scores give ln L, L and 1, a true statement about the window although it has no peak.
struct Concentration {
  double entropy = 0;            // nats, 0 to ln L
  double effective_bins = 0;     // exp(entropy), 1 to L
  double peak_over_uniform = 0;  // largest share times L, 1 to L
};
Concentration concentration(std::span<const float> profile);

/// The paper's temperature scaling of an attention profile (its Figure 5, T = 0.3): exp(ln(a +
/// 1e-10) / T), divided by the sum. T < 1 sharpens; the order of bins does not change.
std::vector<float> sharpened(std::span<const float> profile, double temperature);

/// Exact expectations if peaks are in independent, uniformly random bins.
struct RandomPeaks {
  double distance_mean_bp = 0;    // |offset from the centre|
  double distance_sd_bp = 0;      // its standard deviation, for the error of a mean
  double distance_median_bp = 0;  //
  double share_near = 0;          // share with |offset| <= near_bp
  double edge_share = 0;          // share at_edge
  double between_mean_bp = 0;     // distance between two peaks
  double between_median_bp = 0;   //
  double overlap_mean = 0;        // of two random sets of `top` bins: top^2 / L
  double overlap_sd = 0;          // hypergeometric
};
RandomPeaks random_peaks(std::int64_t bins, std::int64_t bin_bp, std::int64_t top, double near_bp);

}  // namespace cdt

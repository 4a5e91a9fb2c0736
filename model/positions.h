// What a model with bin or gene positions is told about places (docs/extensions.md).
// The released model knows none: its predictions do not change when the bins of a window are
// permuted. Positions are fixed features of signed distances from the window's centre, which the
// model maps linearly to the hidden size.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace cdt {

/// Of a distance d in bins: sin and cos of d / 10000^(k / 16), k = 0 .. 15.
inline constexpr std::int64_t kBinFeatures = 32;
/// Of a gene's start:
///   0 .. 31   the features of its distance in bins, if it lies in the window, else 0
///   32        1 if it is known and on the enhancer's chromosome; else all features are 0
///   33        1 if it lies in the window
///   34, 35    x = log10(1 + distance / 1 kb) / 3, with the sign of the distance and without it
///   36 .. 47  exp(-((log10 distance - c) / 0.3)^2 / 2) for c = 3, 3.3, .., 6.3 (at least 1 kb)
inline constexpr std::int64_t kGeneFeatures = 48;

/// Returns (L, kBinFeatures): the features of the middles of `bins` bins.
std::vector<float> bin_features(std::int64_t bins);

/// Writes the features of a gene that starts `distance` bp from the centre of a window of `bins`
/// bins of `bin_bp` bp, negative for a smaller coordinate; no value: unknown, or on another
/// chromosome. out: kGeneFeatures.
void gene_features(std::optional<std::int64_t> distance, std::int64_t bins, std::int64_t bin_bp,
                   float* out);

}  // namespace cdt

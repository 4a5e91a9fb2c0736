// Occlusion (Zeiler & Fergus 2014): what a prediction loses when the DNA of some bins is replaced
// by the baseline's, measured by a forward pass of its own. No gradient is involved, so it tells
// what gradients only claim. z and baseline below are (L, D), as from Explainer::project().
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/explain/explainer.h"

namespace cdt {

/// Bins [begin, end).
struct BinRange {
  std::int64_t begin = 0, end = 0;
};

/// Consecutive ranges of `width` bins that cover the window; the last may be shorter.
std::vector<BinRange> occlusion_ranges(std::int64_t bins, std::int64_t width);

/// Scores by bin (L): every bin of a range has the range's effect.
std::vector<float> spread(const std::vector<BinRange>& ranges, std::span<const float> effects,
                          std::int64_t bins);

struct OcclusionPasses {
  std::int64_t batch = 1;  // ranges per forward pass
  std::function<void()> after_each = [] {};
};

/// prediction - prediction without the range, [range][gene]: positive where the DNA raises the
/// prediction. One forward pass serves all genes.
std::vector<std::vector<float>> occlusion_effects(Explainer& explainer, std::span<const float> z,
                                                  std::span<const float> baseline,
                                                  const std::vector<BinRange>& ranges,
                                                  const std::vector<std::int32_t>& genes,
                                                  const OcclusionPasses& passes);

/// What the gradient claims of a gene's prediction.
struct GradientClaim {
  float prediction = 0;
  /// gradient . (input - baseline) (L): what the baseline's DNA in a bin takes from the prediction.
  std::vector<float> by_bin;
};

/// Of each gene, in order, from one forward pass.
std::vector<GradientClaim> gradient_claims(Explainer& explainer, std::span<const float> z,
                                           std::span<const float> baseline,
                                           const std::vector<std::int32_t>& genes);

/// What a region of the window does to a prediction: measured, and as the gradient claims it.
struct RegionEffect {
  float prediction = 0, replaced = 0;  // with the region, and with the baseline's DNA in its place
  double claimed = 0;                  // sum over its bins of gradient . (input - baseline)

  /// Positive where the region raises the prediction, as is `claimed`.
  double difference() const { return static_cast<double>(prediction) - replaced; }
};

/// [range][gene], a forward pass for each range; claims: of the same genes.
std::vector<std::vector<RegionEffect>> region_effects(Explainer& explainer,
                                                      std::span<const float> z,
                                                      std::span<const float> baseline,
                                                      const std::vector<BinRange>& ranges,
                                                      const std::vector<std::int32_t>& genes,
                                                      const std::vector<GradientClaim>& claims);

}  // namespace cdt

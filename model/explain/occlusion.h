// Occlusion (Zeiler & Fergus 2014): how much a prediction drops when the DNA of some bins is
// replaced by the baseline's, measured by a separate forward pass. It uses no gradient, so it
// measures what gradients only claim. z and baseline below are (L, D), as from
// Explainer::project().
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/explain/explainer.h"

namespace cdt {

/// A range of bins, [begin, end).
struct BinRange {
  std::int64_t begin = 0, end = 0;
};

/// Returns consecutive ranges of `width` bins that cover the window; the last may be shorter.
std::vector<BinRange> occlusion_ranges(std::int64_t bins, std::int64_t width);

/// Returns scores per bin (L): every bin of a range gets the range's effect.
std::vector<float> spread(const std::vector<BinRange>& ranges, std::span<const float> effects,
                          std::int64_t bins);

struct OcclusionPasses {
  std::int64_t batch = 1;  // ranges per forward pass
  std::function<void()> after_each = [] {};
};

/// Returns prediction - prediction without the range, [range][gene]: positive if the DNA raises the
/// prediction. One forward pass serves all genes.
std::vector<std::vector<float>> occlusion_effects(Explainer& explainer, std::span<const float> z,
                                                  std::span<const float> baseline,
                                                  const std::vector<BinRange>& ranges,
                                                  const std::vector<std::int32_t>& genes,
                                                  const OcclusionPasses& passes);

/// What the gradient claims about a gene's prediction.
struct GradientClaim {
  float prediction = 0;
  /// gradient . (input - baseline) (L): how much a bin's baseline DNA would lower the prediction.
  std::vector<float> by_bin;
};

/// Computes the claims of each gene, in order, from one forward pass.
std::vector<GradientClaim> gradient_claims(Explainer& explainer, std::span<const float> z,
                                           std::span<const float> baseline,
                                           const std::vector<std::int32_t>& genes);

/// Effect of a region of the window on a prediction: measured, and as the gradient claims it.
struct RegionEffect {
  float prediction = 0, replaced = 0;  // with the region's DNA, and with the baseline's instead
  double claimed = 0;                  // sum over its bins of gradient . (input - baseline)

  /// Positive, like `claimed`, if the region raises the prediction.
  double difference() const { return static_cast<double>(prediction) - replaced; }
};

/// Returns effects [range][gene], with one forward pass per range; claims: of the same genes.
std::vector<std::vector<RegionEffect>> region_effects(Explainer& explainer,
                                                      std::span<const float> z,
                                                      std::span<const float> baseline,
                                                      const std::vector<BinRange>& ranges,
                                                      const std::vector<std::int32_t>& genes,
                                                      const std::vector<GradientClaim>& claims);

}  // namespace cdt

// What a region of the DNA window does to predictions: measured by a forward pass without it, and
// as the gradient claims it to first order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/explain/gradient_pass.h"
#include "model/explain/occlusion.h"

namespace cdt {

/// What the gradient claims of a gene's prediction.
struct GradientClaim {
  float prediction = 0;
  /// gradient . (input - baseline) (L): what the baseline's DNA in a bin takes from the prediction.
  std::vector<float> by_bin;
};

/// Of each gene, in order, from a forward pass; z and baseline (L, D) as GradientPass::project()
/// gives them. Clears the tape.
std::vector<GradientClaim> gradient_claims(GradientPass& pass, Tape& tape, std::span<const float> z,
                                           std::span<const float> baseline, std::int64_t bins,
                                           const std::vector<std::int32_t>& genes);

struct RegionEffect {
  float prediction = 0, replaced = 0;  // with the region, and with the baseline's DNA in its place
  double claimed = 0;                  // sum over its bins of gradient . (input - baseline)

  /// Positive where the region raises the prediction, as is `claimed`.
  double difference() const { return static_cast<double>(prediction) - replaced; }
};

/// [range][gene], one forward pass for each batch of ranges; claims: of the same genes. Clears the
/// tape.
std::vector<std::vector<RegionEffect>> region_effects(
    Occlusion& occlusion, std::span<const float> z, std::span<const float> baseline,
    std::int64_t bins, const std::vector<BinRange>& ranges, const std::vector<std::int32_t>& genes,
    const std::vector<GradientClaim>& claims);

}  // namespace cdt

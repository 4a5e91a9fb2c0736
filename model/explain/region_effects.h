// What a region of the DNA window does to predictions: measured by a forward pass without it, and
// as the gradient claims it to first order.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/explain/gradient_pass.h"
#include "model/explain/occlusion.h"

namespace cdt {

/// gradient . (input - baseline) by bin (L) of each gene, in order: what the gradient claims that
/// the baseline's DNA in a bin takes from the prediction. From the pass's last forward(z).
std::vector<std::vector<float>> gradient_claims(GradientPass& pass, Backend& backend,
                                                std::span<const float> z,
                                                std::span<const float> baseline, std::int64_t bins,
                                                const std::vector<std::int32_t>& genes);

struct RegionEffect {
  float prediction = 0, replaced = 0;  // with the region, and with the baseline's DNA in its place
  double claimed = 0;                  // sum over its bins of gradient . (input - baseline)

  /// Positive where the region raises the prediction, as is `claimed`.
  double difference() const { return static_cast<double>(prediction) - replaced; }
};

/// [range][gene]; z and baseline (L, D) as GradientPass::project() gives them. Clears the tape.
std::vector<std::vector<RegionEffect>> region_effects(GradientPass& pass, Occlusion& occlusion,
                                                      Backend& backend, std::span<const float> z,
                                                      std::span<const float> baseline,
                                                      std::int64_t bins,
                                                      const std::vector<BinRange>& ranges,
                                                      const std::vector<std::int32_t>& genes);

}  // namespace cdt

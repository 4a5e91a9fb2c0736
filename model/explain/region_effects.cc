#include "model/explain/region_effects.h"

#include <numeric>

namespace cdt {

std::vector<GradientClaim> gradient_claims(GradientPass& pass, Tape& tape, std::span<const float> z,
                                           std::span<const float> baseline, std::int64_t bins,
                                           const std::vector<std::int32_t>& genes) {
  std::vector<GradientClaim> out(genes.size());
  pass.forward(z);
  pass.gradients(genes, [&](std::size_t i, const Tensor& gradient) {
    out[i].prediction = pass.predictions().at(static_cast<std::size_t>(genes[i]));
    out[i].by_bin = row_products(to_host(tape.backend(), gradient), z, baseline, bins);
  });
  tape.clear();
  return out;
}

std::vector<std::vector<RegionEffect>> region_effects(
    Occlusion& occlusion, std::span<const float> z, std::span<const float> baseline,
    std::int64_t bins, const std::vector<BinRange>& ranges, const std::vector<std::int32_t>& genes,
    const std::vector<GradientClaim>& claims) {
  const std::vector<std::vector<float>> without =
      occlusion.predictions_without(z, baseline, bins, ranges, genes);
  std::vector<std::vector<RegionEffect>> out(ranges.size());
  for (std::size_t r = 0; r < ranges.size(); ++r) {
    for (std::size_t gene = 0; gene < genes.size(); ++gene) {
      const auto from = claims[gene].by_bin.begin();
      out[r].push_back({claims[gene].prediction, without[r][gene],
                        std::accumulate(from + ranges[r].begin, from + ranges[r].end, 0.0)});
    }
  }
  return out;
}

}  // namespace cdt

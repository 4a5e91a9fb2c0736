#include "model/explain/region_effects.h"

#include <numeric>

namespace cdt {

std::vector<std::vector<float>> gradient_claims(GradientPass& pass, Backend& backend,
                                                std::span<const float> z,
                                                std::span<const float> baseline, std::int64_t bins,
                                                const std::vector<std::int32_t>& genes) {
  std::vector<std::vector<float>> out(genes.size());
  pass.gradients(genes, [&](std::size_t gene, const Tensor& gradient) {
    out[gene] = row_products(to_host(backend, gradient), z, baseline, bins);
  });
  return out;
}

std::vector<std::vector<RegionEffect>> region_effects(GradientPass& pass, Occlusion& occlusion,
                                                      Backend& backend, std::span<const float> z,
                                                      std::span<const float> baseline,
                                                      std::int64_t bins,
                                                      const std::vector<BinRange>& ranges,
                                                      const std::vector<std::int32_t>& genes) {
  std::vector<std::vector<RegionEffect>> out(ranges.size(),
                                             std::vector<RegionEffect>(genes.size()));
  pass.forward(z);
  const std::vector<float> predictions = pass.predictions();
  const auto claims = gradient_claims(pass, backend, z, baseline, bins, genes);
  const std::vector<std::vector<float>> without =
      occlusion.predictions_without(z, baseline, bins, ranges, genes);
  for (std::size_t r = 0; r < ranges.size(); ++r) {
    for (std::size_t gene = 0; gene < genes.size(); ++gene) {
      out[r][gene].prediction = predictions.at(static_cast<std::size_t>(genes[gene]));
      out[r][gene].replaced = without[r][gene];
      out[r][gene].claimed = std::accumulate(claims[gene].begin() + ranges[r].begin,
                                             claims[gene].begin() + ranges[r].end, 0.0);
    }
  }
  return out;
}

}  // namespace cdt

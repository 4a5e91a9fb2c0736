#include "model/explain/occlusion.h"

#include <algorithm>
#include <numeric>

#include "engine/error.h"
#include "model/explain/gradient_pass.h"

namespace cdt {
namespace {

/// Returns predictions without each range: [range][gene].
std::vector<std::vector<float>> predictions_without(Explainer& explainer, std::span<const float> z,
                                                    std::span<const float> baseline,
                                                    const std::vector<BinRange>& ranges,
                                                    const std::vector<std::int32_t>& genes,
                                                    const OcclusionPasses& passes) {
  const std::int64_t d = explainer.config().hidden;
  const auto bins = std::ssize(z) / d;
  const auto outputs = static_cast<std::size_t>(explainer.config().genes);
  std::vector<std::vector<float>> out;
  for (std::size_t first = 0; first < ranges.size();) {
    const auto count = std::min(ranges.size() - first, static_cast<std::size_t>(passes.batch));
    std::vector<float> copies;
    copies.reserve(count * z.size());
    for (std::size_t i = 0; i < count; ++i) {
      const BinRange& range = ranges[first + i];
      CDT_CHECK(range.begin >= 0 && range.begin < range.end && range.end <= bins,
                "an occluded range lies in the window");
      const auto begin = static_cast<std::ptrdiff_t>(copies.size());
      copies.insert(copies.end(), z.begin(), z.end());
      std::copy(baseline.begin() + range.begin * d, baseline.begin() + range.end * d,
                copies.begin() + begin + range.begin * d);
    }
    const std::vector<float> predictions =
        explainer.predict(copies, static_cast<std::int64_t>(count));
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<float>& of_range = out.emplace_back();
      for (const std::int32_t gene : genes) {
        of_range.push_back(predictions.at(i * outputs + static_cast<std::size_t>(gene)));
      }
    }
    first += count;
    passes.after_each();
  }
  return out;
}

}  // namespace

std::vector<BinRange> occlusion_ranges(std::int64_t bins, std::int64_t width) {
  CDT_CHECK(width > 0, "an occlusion hides at least one bin");
  std::vector<BinRange> out;
  for (std::int64_t begin = 0; begin < bins; begin += width) {
    out.push_back({begin, std::min(begin + width, bins)});
  }
  return out;
}

std::vector<float> spread(const std::vector<BinRange>& ranges, std::span<const float> effects,
                          std::int64_t bins) {
  std::vector<float> out(static_cast<std::size_t>(bins), 0.0F);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    std::fill(out.begin() + ranges[i].begin, out.begin() + ranges[i].end, effects[i]);
  }
  return out;
}

std::vector<std::vector<float>> occlusion_effects(Explainer& explainer, std::span<const float> z,
                                                  std::span<const float> baseline,
                                                  const std::vector<BinRange>& ranges,
                                                  const std::vector<std::int32_t>& genes,
                                                  const OcclusionPasses& passes) {
  const std::vector<float> whole = explainer.predict(z);
  std::vector<std::vector<float>> out =
      predictions_without(explainer, z, baseline, ranges, genes, passes);
  for (std::vector<float>& of_range : out) {
    for (std::size_t i = 0; i < genes.size(); ++i) {
      of_range[i] = whole.at(static_cast<std::size_t>(genes[i])) - of_range[i];
    }
  }
  return out;
}

std::vector<GradientClaim> gradient_claims(Explainer& explainer, std::span<const float> z,
                                           std::span<const float> baseline,
                                           const std::vector<std::int32_t>& genes) {
  GradientPass pass(explainer, z);
  std::vector<GradientClaim> out(genes.size());
  pass.gradients(genes, [&](std::size_t i, const Tensor& gradient) {
    out[i].prediction = pass.predictions().at(static_cast<std::size_t>(genes[i]));
    out[i].by_bin =
        row_products(to_host(explainer.backend(), gradient), z, baseline, gradient.rows());
  });
  return out;
}

std::vector<std::vector<RegionEffect>> region_effects(Explainer& explainer,
                                                      std::span<const float> z,
                                                      std::span<const float> baseline,
                                                      const std::vector<BinRange>& ranges,
                                                      const std::vector<std::int32_t>& genes,
                                                      const std::vector<GradientClaim>& claims) {
  const std::vector<std::vector<float>> without =
      predictions_without(explainer, z, baseline, ranges, genes, {});
  std::vector<std::vector<RegionEffect>> out(ranges.size());
  for (std::size_t r = 0; r < ranges.size(); ++r) {
    for (std::size_t gene = 0; gene < genes.size(); ++gene) {
      const std::vector<float>& claimed = claims[gene].by_bin;
      out[r].push_back({claims[gene].prediction, without[r][gene],
                        std::accumulate(claimed.begin() + ranges[r].begin,
                                        claimed.begin() + ranges[r].end, 0.0)});
    }
  }
  return out;
}

}  // namespace cdt

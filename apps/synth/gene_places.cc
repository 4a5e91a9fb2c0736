#include "apps/synth/gene_places.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/random.h"

namespace cdt {
namespace {

constexpr std::uint32_t kPlaces = 6;    // random stream, apart from those of mechanism.cc
constexpr std::int64_t kFarthest = 10;  // windows between an enhancer and a start outside its own

/// Draws a position outside the window around `centre`.
std::int64_t draw_outside(RandomStream& random, std::int64_t centre, std::int64_t window) {
  const auto reach = static_cast<std::uint64_t>(kFarthest * window);
  const std::int64_t beyond = window + static_cast<std::int64_t>(random.below(reach));
  const bool before = random.uniform() < 0.5 && centre >= beyond;
  return before ? centre - beyond : centre + beyond;
}

/// Draws a position inside the window around `centre`.
std::int64_t draw_inside(RandomStream& random, std::int64_t centre, const SynthPlan& plan) {
  const std::int64_t bin_bp = plan.sizes.bin_bp;
  const auto window = static_cast<std::uint64_t>(plan.sizes.bins * bin_bp);
  const std::int64_t first = centre - plan.sizes.bins / 2 * bin_bp;
  return std::max<std::int64_t>(first + static_cast<std::int64_t>(random.below(window)), 0);
}

/// The chromosome of the first enhancer that is on another one.
std::string other_chromosome(const std::vector<Enhancer>& enhancers, const Enhancer& than) {
  for (const Enhancer& enhancer : enhancers) {
    if (enhancer.chrom != than.chrom) return enhancer.chrom;
  }
  return than.chrom;
}

}  // namespace

std::vector<std::optional<GeneStart>> place_genes(const SynthPlan& plan,
                                                  const std::vector<Enhancer>& enhancers,
                                                  const std::vector<Pair>& pairs) {
  const auto genes = static_cast<std::size_t>(plan.sizes.genes);
  std::vector<const Enhancer*> tested_with(genes, nullptr);
  for (const Pair& pair : pairs) {
    const Enhancer*& first = tested_with[static_cast<std::size_t>(pair.gene)];
    if (first == nullptr) first = &enhancers[static_cast<std::size_t>(pair.enhancer)];
  }
  RandomStream random(plan.seed, kPlaces);
  std::vector<std::optional<GeneStart>> out(genes);
  for (std::size_t gene = 0; gene + 1 < genes; ++gene) {
    if (tested_with[gene] == nullptr) continue;
    const Enhancer& near = *tested_with[gene];
    const std::int64_t position =
        gene % 4 == 1 ? draw_outside(random, near.centre(), plan.sizes.bins * plan.sizes.bin_bp)
                      : draw_inside(random, near.centre(), plan);
    out[gene] = {gene % 4 == 2 ? other_chromosome(enhancers, near) : near.chrom, position,
                 gene % 3 == 0 ? -1 : 1};
  }
  return out;
}

}  // namespace cdt

#include "io/dataset/loci.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>

namespace cdt {

std::vector<std::int32_t> loci_of(const std::vector<Enhancer>& enhancers, std::int64_t bins,
                                  std::int64_t bin_bp) {
  std::vector<std::size_t> order(enhancers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::make_tuple(enhancers[a].chrom, enhancers[a].centre()) <
           std::make_tuple(enhancers[b].chrom, enhancers[b].centre());
  });
  const std::int64_t window = bins * bin_bp;
  std::vector<std::int32_t> out(enhancers.size());
  std::int32_t locus = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Enhancer& here = enhancers[order[i]];
    if (i > 0) {
      const Enhancer& before = enhancers[order[i - 1]];
      if (here.chrom != before.chrom || here.centre() - before.centre() >= window) ++locus;
    }
    out[order[i]] = locus;
  }
  return out;
}

std::vector<std::int32_t> loci_of(const Dataset& data) {
  return loci_of(data.enhancers, data.bins, data.bin_bp);
}

}  // namespace cdt

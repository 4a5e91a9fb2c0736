// Where pairs, bins and regions of an attribution lie on the genome.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/genome/assembly.h"
#include "io/genome/locus.h"
#include "model/explain/occlusion.h"
#include "model/stats/profile.h"

namespace cdt {

/// Position of a bin's left edge; may be negative.
inline std::int64_t bin_start(const Dataset& data, const Enhancer& enhancer, std::int64_t bin) {
  return enhancer.centre() + offset_bp(bin, data.bins, data.bin_bp);
}

/// The part of a bin, or of the whole window, that lies on its chromosome (io/genome/locus.h).
Locus bin_interval(const Dataset& data, const ChromosomeSizes& sizes, const Pair& pair,
                   std::int64_t bin);
Locus window_interval(const Dataset& data, const ChromosomeSizes& sizes, const Pair& pair);

/// A region of --occlude-region: either bins, the same of every window, or bases of a chromosome.
struct Region {
  std::string text;                 // "18-20", or locus_text()
  std::string chrom;                // empty: bins
  std::int64_t begin = 0, end = 0;  // half open: bins, or bases from 0

  /// The bins it covers of an enhancer's window; none if the window does not hold all of it. Bases
  /// cover the bins they share one with.
  std::optional<BinRange> bins_in(const Dataset& data, std::int32_t enhancer) const;
};

/// "18-20" (bins, last included) or a locus as people read it (io/genome/locus.h). InputError
/// naming --occlude-region: neither of these, past the window, past the end of the chromosome as
/// far as `sizes` knows it, the same bins or bases twice, or in no window of the pairs.
std::vector<Region> choose_regions(const std::vector<std::string>& texts, const Dataset& data,
                                   const ChromosomeSizes& sizes, const std::vector<Pair>& pairs);

}  // namespace cdt

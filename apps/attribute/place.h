// Genome positions of the pairs, bins and regions of an attribution.
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

/// The part of a bin, or of the whole window, that is on its chromosome (io/genome/locus.h).
Locus bin_interval(const Dataset& data, const ChromosomeSizes& sizes, const Pair& pair,
                   std::int64_t bin);
Locus window_interval(const Dataset& data, const ChromosomeSizes& sizes, const Pair& pair);

/// A region of --occlude-region: either bins, the same in every window, or bases of a chromosome.
struct Region {
  std::string text;                 // "18-20", or locus_text()
  std::string chrom;                // empty for bins
  std::int64_t begin = 0, end = 0;  // half-open; bins, or bases from 0

  /// Bins of an enhancer's window that the region covers; nothing if part of it is outside the
  /// window. Bases cover every bin with which they share a base.
  std::optional<BinRange> bins_in(const Dataset& data, std::int32_t enhancer) const;
};

/// Parses regions: "18-20" (bins, last one included) or a locus in the form for people
/// (io/genome/locus.h). Throws InputError naming --occlude-region for a text that is neither, a
/// region past the end of the window or of the chromosome (if `sizes` has it), a repeated region,
/// or one that is in no window of the pairs.
std::vector<Region> choose_regions(const std::vector<std::string>& texts, const Dataset& data,
                                   const ChromosomeSizes& sizes, const std::vector<Pair>& pairs);

}  // namespace cdt

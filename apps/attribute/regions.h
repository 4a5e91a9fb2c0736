// Regions of the DNA window named on the command line (--occlude-region).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/genome/assembly.h"
#include "model/explain/occlusion.h"

namespace cdt {

/// Either bins, the same of every window, or bases of a chromosome.
struct Region {
  std::string text;                 // "18-20", or locus_text()
  std::string chrom;                // empty: bins
  std::int64_t begin = 0, end = 0;  // half open: bins, or bases from 0

  /// The bins it covers of an enhancer's window; none if the window does not hold all of it. Bases
  /// cover the bins they share one with.
  std::optional<BinRange> bins_in(const Dataset& data, std::int32_t enhancer) const;
  /// Do both mean the same bins or bases? The text does not count.
  bool same_as(const Region& other) const {
    return chrom == other.chrom && begin == other.begin && end == other.end;
  }
};

/// "18-20" (bins, last included) or a locus as people read it (io/genome/locus.h). InputError
/// naming
/// --occlude-region: neither of these, past the window, past the end of the chromosome as far as
/// `sizes` knows it, twice the same, or in no window of the pairs.
std::vector<Region> choose_regions(const std::vector<std::string>& texts, const Dataset& data,
                                   const ChromosomeSizes& sizes, const std::vector<Pair>& pairs);

}  // namespace cdt

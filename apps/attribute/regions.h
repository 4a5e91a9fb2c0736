// Regions of the DNA window named on the command line (--occlude-region).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/dataset.h"
#include "model/occlusion.h"

namespace cdt {

/// Either bins, the same of every window, or bases of a chromosome.
struct Region {
  std::string text;                 // as given
  std::string chrom;                // empty: bins
  std::int64_t begin = 0, end = 0;  // half open: bins, or bases from 0

  /// The bins it covers of an enhancer's window; none if the window does not hold all of it. Bases
  /// cover the bins they share one with.
  std::optional<BinRange> bins_in(const Dataset& data, std::int32_t enhancer) const;
};

/// "18-20" (bins, last included) or "chr8:127,700,001-127,701,000" (bases from 1, last included, as
/// genome browsers write them). InputError naming --occlude-region: neither of these, past the
/// window, twice the same, or in no window of the pairs.
std::vector<Region> choose_regions(const std::vector<std::string>& texts, const Dataset& data,
                                   const std::vector<Pair>& pairs);

}  // namespace cdt

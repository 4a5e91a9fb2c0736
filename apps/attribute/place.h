// Where the pairs and bins of an attribution lie on the genome.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "io/assembly.h"
#include "io/dataset.h"
#include "model/profile.h"

namespace cdt {

inline const Enhancer& enhancer_of(const Dataset& data, const Pair& pair) {
  return data.enhancers[static_cast<std::size_t>(pair.enhancer)];
}

inline const std::string& gene_of(const Dataset& data, const Pair& pair) {
  return data.genes[static_cast<std::size_t>(pair.gene)];
}

/// Position of a bin's left edge; may be negative.
inline std::int64_t bin_start(const Dataset& data, const Enhancer& enhancer, std::int64_t bin) {
  return enhancer.centre() + offset_bp(bin, data.bins, data.bin_bp);
}
inline std::int64_t bin_start(const Dataset& data, const Pair& pair, std::int64_t bin) {
  return bin_start(data, enhancer_of(data, pair), bin);
}

/// The part of a bin that lies on its chromosome, as far as its end is known; empty (start == end)
/// where none does.
struct BinInterval {
  std::int64_t start = 0, end = 0;
};
inline BinInterval bin_interval(const Dataset& data, const ChromosomeSizes& sizes, const Pair& pair,
                                std::int64_t bin) {
  const std::int64_t size = sizes.size(enhancer_of(data, pair).chrom);
  const auto on_chromosome = [&](std::int64_t position) {
    position = std::max<std::int64_t>(position, 0);
    return size > 0 ? std::min(position, size) : position;
  };
  const std::int64_t start = bin_start(data, pair, bin);
  return {on_chromosome(start), on_chromosome(start + data.bin_bp)};
}

/// Fields with tabs between them, and a line end.
inline std::string tab_separated(const std::vector<std::string>& fields) {
  std::string out;
  for (const std::string& field : fields) out += (out.empty() ? "" : "\t") + field;
  return out + "\n";
}

}  // namespace cdt

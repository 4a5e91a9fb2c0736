// Where the pairs and bins of an attribution lie on the genome.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/dataset/dataset.h"
#include "io/genome/assembly.h"
#include "io/genome/locus.h"
#include "model/stats/profile.h"

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

/// The part of a bin, or of the whole window, that lies on its chromosome (io/genome/locus.h).
inline Locus bin_interval(const Dataset& data, const ChromosomeSizes& sizes, const Pair& pair,
                          std::int64_t bin) {
  const Enhancer& e = enhancer_of(data, pair);
  const std::int64_t start = bin_start(data, e, bin);
  return on_chromosome({e.chrom, start, start + data.bin_bp, ""}, sizes.size(e.chrom));
}
inline Locus window_interval(const Dataset& data, const ChromosomeSizes& sizes, const Pair& pair) {
  const Enhancer& e = enhancer_of(data, pair);
  return on_chromosome({e.chrom, bin_start(data, e, 0), bin_start(data, e, data.bins), e.name},
                       sizes.size(e.chrom));
}

/// Fields with tabs between them, and a line end.
inline std::string tab_separated(const std::vector<std::string>& fields) {
  std::string out;
  for (const std::string& field : fields) out += (out.empty() ? "" : "\t") + field;
  return out + "\n";
}

}  // namespace cdt

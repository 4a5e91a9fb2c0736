// Loci: clusters of enhancers that share DNA. Splits, tests and intervals respect them.
#pragma once

#include <cstdint>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

/// Locus of each enhancer, numbered from 0 along the chromosomes: clusters of enhancers whose DNA
/// windows (bins * bin_bp around the centre) overlap, directly or through others. Enhancers of a
/// locus share DNA, so intervals resample loci, and a test on new DNA is a test on new loci.
std::vector<std::int32_t> loci_of(const std::vector<Enhancer>& enhancers, std::int64_t bins,
                                  std::int64_t bin_bp);
std::vector<std::int32_t> loci_of(const Dataset& data);

}  // namespace cdt

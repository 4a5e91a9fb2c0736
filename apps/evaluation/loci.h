// Loci: clusters of enhancers whose DNA windows overlap. What one of them measures the others have
// seen, so intervals draw loci, and a test on new DNA is one on new loci.
#pragma once

#include <cstdint>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

/// The locus of each enhancer, numbered from 0 along the chromosomes: two enhancers of a chromosome
/// share one if their windows (bins * bin_bp around the centre) overlap, directly or through
/// others.
std::vector<std::int32_t> loci_of(const std::vector<Enhancer>& enhancers, std::int64_t bins,
                                  std::int64_t bin_bp);
std::vector<std::int32_t> loci_of(const Dataset& data);

}  // namespace cdt

// The arithmetic of a sum over ranks.
#pragma once

#include <cstdint>

namespace cdt {

/// sums(n) = the sums over the ranks of parts(ranks, n), added in float64 in the order of the ranks
/// and rounded once. sums may be one of the parts.
void add_in_order(const float* parts, int ranks, std::int64_t n, float* sums);

}  // namespace cdt

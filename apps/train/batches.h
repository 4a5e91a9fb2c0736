// The order of an epoch.
#pragma once

#include <cstdint>
#include <vector>

namespace cdt {

/// A permutation of 0 .. n-1 that depends on seed and epoch alone, so a run resumes inside an epoch
/// without stored generator state.
std::vector<std::int32_t> epoch_order(std::int64_t n, std::uint64_t seed, std::int64_t epoch);

}  // namespace cdt

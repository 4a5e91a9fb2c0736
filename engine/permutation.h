// Random permutations; apart from random.h, which the kernels include.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/random.h"

namespace cdt {

/// A random permutation of 0 ... n-1 (Fisher and Yates).
std::vector<std::int32_t> permutation(std::int64_t n, RandomStream random);

}  // namespace cdt

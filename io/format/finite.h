// Fast search for values that are not finite.
#pragma once

#include <cstdint>

namespace cdt {

/// Index of the first NaN or infinity among `count` values, or -1.
std::int64_t first_non_finite(const float* values, std::int64_t count);

}  // namespace cdt

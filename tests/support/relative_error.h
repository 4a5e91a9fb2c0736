// The distance between two tensors, relative to the norm.
#pragma once

#include "engine/relative_error.h"

namespace cdt::test {

using cdt::relative_error;

/// The largest relative change from rounding to bfloat16: half a unit in the last place.
inline constexpr double kBFloat16Rounding = 1.0 / 256.0;
/// The largest relative change from rounding to tf32: one unit, because tensor cores truncate.
inline constexpr double kTf32Rounding = 1.0 / 1024.0;

}  // namespace cdt::test

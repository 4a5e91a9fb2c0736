// How far a tensor may be from another.
#pragma once

#include "engine/relative_error.h"

namespace cdt::test {

using cdt::relative_error;

/// The most that rounding to bfloat16 moves a number, relative to it: half a unit in the last
/// place.
inline constexpr double kBFloat16Rounding = 1.0 / 256.0;
/// The same of tf32, which tensor cores reach by cutting off: a unit.
inline constexpr double kTf32Rounding = 1.0 / 1024.0;

}  // namespace cdt::test

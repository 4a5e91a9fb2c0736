// The exponentials of a softmax row.
#pragma once

#include <limits>

#include "engine/cpu/vector_math.h"

namespace cdt {

struct RowExponentials {
  float max;
  float sum;
};

/// row[i] = e^(row[i] - max) in place; the division by the sum is left to the caller.
inline RowExponentials exponentials(float* row, std::int64_t n) {
  F32 high = splat(-std::numeric_limits<float>::infinity());
  const std::int64_t whole = n / kLanes * kLanes;
  for (std::int64_t i = 0; i < whole; i += kLanes) high = maximum(load(row + i, kLanes), high);
  float max = max_of_lanes(high);
  for (std::int64_t i = whole; i < n; ++i) max = row[i] > max ? row[i] : max;
  float sum = sum_over<F32>(whole, [&](std::int64_t i, int lanes) CDT_INLINE {
    const F32 e = exponential(load(row + i, lanes) - splat(max));
    store(row + i, e, lanes);
    return e;
  });
  if (whole < n) {
    const int rest = static_cast<int>(n - whole);
    store(row + whole, exponential(load(row + whole, rest) - splat(max)), rest);
    sum += sum_of_lanes(load(row + whole, rest));
  }
  return {max, sum};
}

}  // namespace cdt

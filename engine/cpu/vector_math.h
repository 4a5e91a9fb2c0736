// Exponential and normal distribution on the lanes of a register, and the exponentials of a softmax
// row. The coefficients are Chebyshev fits of the functions named next to them.
#pragma once

#include <limits>

#include "engine/cpu/simd.h"

namespace cdt {

inline constexpr float kRound = 0x1.8p23F;  // adding it leaves a rounded integer in the low bits

/// e^x within 2 ulp; 0 below -87.6, infinity above 88.3, NaN for NaN.
CDT_INLINE inline F32 exponential(F32 x) {
  x = maximum(splat(-88.0F), minimum(splat(88.6F), x));
  const F32 shifted = fma(x, splat(1.442695041F), kRound);
  const F32 n = shifted - kRound;
  const F32 r = fma(n, splat(2.12194440e-4F), fma(n, splat(-0.693359375F), x));  // x - n ln 2
  // (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2
  F32 q = fma(r, splat(0.00139345445F), 0.00836377647F);
  q = fma(q, r, 0.0416664568F);
  q = fma(q, r, 0.166665734F);
  q = fma(q, r, 0.5F);
  const F32 power = fma(q, r * r, r) + 1.0F;
  const U32 bits = ((U32)shifted + 127U) << 23U;  // 2^n; 0 for n = -127, infinity for 128
  return power * (F32)bits;
}

/// The standard normal distribution at x: density / sqrt(1 / (2 pi)) and lower tail probability.
struct Normal {
  F32 gauss;       // e^(-x^2 / 2)
  F32 cumulative;  // (1 + erf(x / sqrt 2)) / 2, absolute error below 1e-7, relative in the tail
};

CDT_INLINE inline Normal normal(F32 x) {
  const F32 zero{};
  const F32 size = maximum(x, -x);
  const F32 gauss = exponential(x * x * -0.5F);
  // e^(x^2 / 2) erfc(x / sqrt 2) in s = (x - 3.5) / (x + 3.5), which maps [0, inf) to [-1, 1)
  const F32 s = (size - 3.5F) / (size + 3.5F);
  F32 p = fma(s, splat(0.00031710181F), 0.000721416231F);
  p = fma(p, s, -0.00281150203F);
  p = fma(p, s, -0.00311452527F);
  p = fma(p, s, 0.038143124F);
  p = fma(p, s, -0.12327884F);
  p = fma(p, s, 0.251709586F);
  p = fma(p, s, -0.374279422F);
  p = fma(p, s, 0.212690319F);
  const F32 tail = gauss * p * 0.5F;
  return {gauss, x < zero ? tail : 1.0F - tail};
}

/// x Phi(x), the exact GELU (Hendrycks & Gimpel 2016).
CDT_INLINE inline F32 gelu(F32 x) { return x * normal(x).cumulative; }

/// Phi(x) + x phi(x)
CDT_INLINE inline F32 gelu_derivative(F32 x) {
  const Normal at = normal(x);
  return fma(x * at.gauss, splat(0.398942280F), at.cumulative);
}

/// Maximum and sum of exponentials of a softmax row.
struct RowExponentials {
  float max;
  float sum;
};

/// row[i] = e^(row[i] - max), in-place; the caller divides by the sum.
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

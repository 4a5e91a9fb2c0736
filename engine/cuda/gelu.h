// The exact GELU and its derivative in float32, for kernels and for the test that measures them.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/bfloat16.h"

namespace cdt {
namespace detail {

CDT_HOST_DEVICE inline std::uint32_t bits_of(float x) {
  std::uint32_t bits = 0;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}
CDT_HOST_DEVICE inline float float_of(std::uint32_t bits) {
  float x = 0.0F;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/// Returns 2^x; on a GPU within 2^-22 of it, and 0 if it is subnormal.
CDT_HOST_DEVICE inline float power_of_two(float x) {
#if defined(__CUDA_ARCH__)
  float power;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(x));
  return power;
#else
  return std::exp2(x);
#endif
}

}  // namespace detail

inline constexpr float kTailEnd = 10.0F;  // beyond this the tail stays at 2e-23

/// Computes Phi(-a) = erfc(a / sqrt 2) / 2 for a in [0, kTailEnd] as 2^(-a (1 + s(a))) / 2, with
/// one polynomial for s and one for the power. It uses only multiply-adds, so the bits are the same
/// on the host and on every GPU. tests/unit/gelu_test.cc states the error; the coefficients come
/// from tests/support/fit_normal_tail.py.
CDT_HOST_DEVICE inline float normal_tail(float a) {
  float s = -2.52012411e-9F;
  s = fmaf(s, a, 9.48827861e-8F);
  s = fmaf(s, a, -1.58159321e-6F);
  s = fmaf(s, a, 1.52467574e-5F);
  s = fmaf(s, a, -9.13050899e-5F);
  s = fmaf(s, a, 3.10183037e-4F);
  s = fmaf(s, a, -3.56470919e-5F);
  s = fmaf(s, a, -6.926022e-3F);
  s = fmaf(s, a, 5.24375141e-2F);
  s = fmaf(s, a, 4.59219843e-1F);
  s = fmaf(s, a, 1.5110445e-1F);
  constexpr float kToInteger = 0x1.8p23F;  // adding it leaves a rounded integer in the low bits
  const float exponent = fmaf(s, a, a);
  const float shifted = kToInteger - exponent;
  const float f = -exponent - (shifted - kToInteger);  // in [-1/2, 1/2]
  float half = 7.66465455e-5F;                         // 2^f / 2
  half = fmaf(half, f, 6.69548521e-4F);
  half = fmaf(half, f, 4.80924966e-3F);
  half = fmaf(half, f, 2.77517978e-2F);
  half = fmaf(half, f, 1.20113239e-1F);
  half = fmaf(half, f, 3.46573591e-1F);
  half = fmaf(half, f, 0.5F);
  return detail::float_of(detail::bits_of(half) + (detail::bits_of(shifted) << 23U));
}

/// Phi(v), the cumulative distribution function of the standard normal.
CDT_HOST_DEVICE inline float normal_cdf(float v) {
  const float tail = normal_tail(fminf(fabsf(v), kTailEnd));
  return v < 0.0F ? tail : 1.0F - tail;
}

/// v Phi(v) = max(v, 0) - |v| Phi(-|v|). NaN for NaN.
CDT_HOST_DEVICE inline float gelu(float v) {
  const float size = fminf(fabsf(v), kTailEnd);
  return fmaf(-size, normal_tail(size), v < 0.0F ? 0.0F : v);
}

struct GeluSlope {
  float value, slope;
};

/// gelu(v) and its derivative Phi(v) + v phi(v). The derivative is computed at -|v|, as Phi(-|v|) -
/// |v| phi(v); at |v| it is 1 minus that.
CDT_HOST_DEVICE inline GeluSlope gelu_and_slope(float v) {
  constexpr float kHalfLog2E = 0.72134752F;
  constexpr float kLog2Density = -1.32574806F;  // log2 of 1 / sqrt(2 pi)
  const float size = fminf(fabsf(v), kTailEnd);
  const float tail = normal_tail(size);
  const float density = detail::power_of_two(fmaf(-kHalfLog2E * size, size, kLog2Density));
  const float below = fmaf(-size, density, tail);
  return {fmaf(-size, tail, v < 0.0F ? 0.0F : v), v < 0.0F ? below : 1.0F - below};
}

}  // namespace cdt

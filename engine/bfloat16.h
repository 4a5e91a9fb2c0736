// bfloat16: the upper half of a float32. Storage only; arithmetic is float32.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__CUDACC__)
#define CDT_HOST_DEVICE __host__ __device__
#else
#define CDT_HOST_DEVICE
#endif

namespace cdt {

struct BFloat16 {
  std::uint16_t bits;
};

CDT_HOST_DEVICE inline float to_float(float x) { return x; }

CDT_HOST_DEVICE inline float to_float(BFloat16 x) {
  const std::uint32_t wide = static_cast<std::uint32_t>(x.bits) << 16U;
  float value = 0.0F;
  memcpy(&value, &wide, sizeof value);
  return value;
}

/// Rounds to nearest, ties to even; a NaN stays one.
CDT_HOST_DEVICE inline BFloat16 to_bfloat16(float x) {
  std::uint32_t bits = 0;
  memcpy(&bits, &x, sizeof bits);
  if ((bits & 0x7FFFFFFFU) > 0x7F800000U) {
    return {static_cast<std::uint16_t>((bits >> 16U) | 0x40U)};
  }
  return {static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U)};
}

/// from_float(x, T{}) converts x to T.
CDT_HOST_DEVICE inline float from_float(float x, float /*type*/) { return x; }
CDT_HOST_DEVICE inline BFloat16 from_float(float x, BFloat16 /*type*/) { return to_bfloat16(x); }

}  // namespace cdt

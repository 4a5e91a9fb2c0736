// float16, bfloat16 and float64 as float32, little-endian. The first two are widened exactly.
// float64 as whole numbers.
#pragma once

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cdt {

/// IEEE binary16: sign, 5 bits of exponent, 10 of fraction.
inline float half_to_float(std::uint16_t bits) {
  const int exponent = (bits >> 10U) & 0x1FU;
  const auto fraction = static_cast<float>(bits & 0x3FFU);
  float size = 0.0F;
  if (exponent == 0) {
    size = std::ldexp(fraction, -24);
  } else if (exponent < 31) {
    size = std::ldexp(1024.0F + fraction, exponent - 25);
  } else {
    size = std::bit_cast<float>(0x7F800000U | (bits & 0x3FFU) << 13U);  // infinity and NaN
  }
  return (bits & 0x8000U) != 0 ? -size : size;
}

/// The upper half of a float32.
inline float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16U);
}

/// A whole number of at most 2^53 in size: beyond, a float64 skips whole numbers.
inline bool is_exact_whole(double value) {
  constexpr double kLimit = 9007199254740992.0;  // 2^53
  return std::abs(value) <= kLimit && value == std::trunc(value);
}

/// out[i] = convert(the i-th value of `bytes`, of type From), for `count` values.
template <typename From, typename Convert>
void convert_values(const void* bytes, std::size_t count, float* out, Convert convert) {
  const auto* at = static_cast<const char*>(bytes);
  for (std::size_t i = 0; i < count; ++i, at += sizeof(From)) {
    From value;
    std::memcpy(&value, at, sizeof value);
    out[i] = convert(value);
  }
}

}  // namespace cdt

// Values of floating-point files: tests for finite and whole numbers, and conversion of
// little-endian float16, bfloat16 and float64 to float32; the first two are widened exactly.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace cdt {

/// Index of the first NaN or infinity among `count` values, or -1.
inline std::int64_t first_non_finite(const float* values, std::int64_t count) {
  constexpr std::int64_t kBlock = 4096;  // searched without a branch, so that the loop vectorises
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t end = std::min(begin + kBlock, count);
    int bad = 0;
    for (std::int64_t i = begin; i < end; ++i) bad |= std::isfinite(values[i]) ? 0 : 1;
    if (bad == 0) continue;
    for (std::int64_t i = begin; i < end; ++i) {
      if (!std::isfinite(values[i])) return i;
    }
  }
  return -1;
}

/// Converts IEEE binary16: sign, 5 exponent bits, 10 fraction bits.
inline float half_to_float(std::uint16_t bits) {
  // Shifted up by 13 bits, these are a float32 whose exponent is too small by 127 - 15; the product
  // is exact, also for subnormal numbers.
  const std::uint32_t size = std::uint32_t{bits & 0x7FFFU} << 13U;
  const std::uint32_t finite = std::bit_cast<std::uint32_t>(std::bit_cast<float>(size) * 0x1p112F);
  const bool is_finite = (bits & 0x7C00U) != 0x7C00U;
  const std::uint32_t sign = std::uint32_t{bits & 0x8000U} << 16U;
  return std::bit_cast<float>(sign | (is_finite ? finite : 0x7F800000U | size));
}

/// Converts bfloat16, the upper half of a float32.
inline float bfloat16_to_float(std::uint16_t bits) {
  return std::bit_cast<float>(std::uint32_t{bits} << 16U);
}

/// Whether the value is a whole number of magnitude at most 2^53; beyond that, float64 skips whole
/// numbers.
inline bool is_exact_whole(double value) {
  constexpr double kLimit = 9007199254740992.0;  // 2^53
  return std::abs(value) <= kLimit && value == std::trunc(value);
}

/// Sets out[i] to convert(the i-th value of `bytes`, of type From) for `count` values.
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

// The float lanes of one register as one value, using the compiler's vector extension: sixteen with
// AVX-512, eight with AVX2, four elsewhere. Wider values than a register would live in memory and
// be compared one by one. Tails run through the same lane code, so an element's bits do not depend
// on its position in a row.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#pragma GCC diagnostic ignored "-Wpsabi"  // vectors never cross a call: everything is inlined

#define CDT_INLINE __attribute__((always_inline))

namespace cdt {

#if defined(__AVX512F__)
inline constexpr int kLanes = 16;
#elif defined(__AVX2__)
inline constexpr int kLanes = 8;
#else
inline constexpr int kLanes = 4;
#endif
using F32 = float __attribute__((vector_size(4 * kLanes)));
using I32 = std::int32_t __attribute__((vector_size(4 * kLanes)));
using U32 = std::uint32_t __attribute__((vector_size(4 * kLanes)));
using U64 = std::uint64_t __attribute__((vector_size(4 * kLanes)));  // kLanes / 2 of them
using F64 = double __attribute__((vector_size(8 * kLanes)));

/// Puts x in every lane. Arithmetic between F32 and float needs no splat.
CDT_INLINE inline F32 splat(float x) { return x - F32{}; }

/// Loads the first `lanes` floats at p; the other lanes are 0.
CDT_INLINE inline F32 load(const float* p, int lanes) {
  F32 v{};
  std::memcpy(&v, p, static_cast<std::size_t>(lanes) * sizeof(float));
  return v;
}

CDT_INLINE inline void store(float* p, F32 v, int lanes) {
  std::memcpy(p, &v, static_cast<std::size_t>(lanes) * sizeof(float));
}

/// a * b + c, with a single rounding where the CPU has FMA.
CDT_INLINE inline F32 fma(F32 a, F32 b, F32 c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__AVX2__) && defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#else
  return a * b + c;
#endif
}

CDT_INLINE inline F32 fma(F32 a, F32 b, float c) { return fma(a, b, splat(c)); }

CDT_INLINE inline F32 square_root(F32 x) {
#if defined(__AVX512F__)
  return _mm512_maskz_sqrt_ps(0xFFFF, x);  // maskz: the plain form trips a false warning
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(x);
#else
  F32 r;
  for (int i = 0; i < kLanes; ++i) r[i] = __builtin_sqrtf(x[i]);
  return r;
#endif
}

/// The lane is b's if either is NaN.
CDT_INLINE inline F32 maximum(F32 a, F32 b) { return a > b ? a : b; }
CDT_INLINE inline F32 minimum(F32 a, F32 b) { return a < b ? a : b; }
/// x where all bits of the mask are set, 0 where none is.
CDT_INLINE inline F32 keep_where(I32 mask, F32 x) { return (F32)((I32)x & mask); }
CDT_INLINE inline F64 widen(F32 x) { return __builtin_convertvector(x, F64); }

/// Lane i of the result is lane (i + kBy) % kLanes of v.
template <int kBy, class Vector, int... kLane>
CDT_INLINE inline Vector rotated(Vector v, std::integer_sequence<int, kLane...> /*lanes*/) {
  return __builtin_shufflevector(v, v, (kLane + kBy) % kLanes...);
}

/// Combines the lanes in a fixed tree: halves, quarters, ..., singles.
template <int kBy = kLanes / 2, class Vector, class Combine>
CDT_INLINE inline auto fold_lanes(Vector v, const Combine& combine) {
  v = combine(v, rotated<kBy>(v, std::make_integer_sequence<int, kLanes>()));
  if constexpr (kBy > 1) {
    return fold_lanes<kBy / 2>(v, combine);
  } else {
    return v[0];
  }
}

template <class Vector>
CDT_INLINE inline auto sum_of_lanes(Vector v) {
  return fold_lanes(v, [](Vector a, Vector b) CDT_INLINE { return a + b; });
}

CDT_INLINE inline float max_of_lanes(F32 v) {
  return fold_lanes(v, [](F32 a, F32 b) CDT_INLINE { return maximum(a, b); });
}

/// Calls body(i, lanes) for i = 0, kLanes, ...; lanes is kLanes except possibly in the last call.
template <class Body>
CDT_INLINE inline void for_lanes(std::int64_t n, const Body& body) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) body(i, kLanes);
  if (i < n) body(i, static_cast<int>(n - i));
}

/// Sums term(i, lanes) over i < n; a term's lanes from `lanes` on must be 0.
template <class Vector, class Term>
CDT_INLINE inline auto sum_over(std::int64_t n, const Term& term) {
  Vector even{};
  Vector odd{};
  std::int64_t i = 0;
  for (; i + 2L * kLanes <= n; i += 2L * kLanes) {
    even += term(i, kLanes);
    odd += term(i + kLanes, kLanes);
  }
  for (; i + kLanes <= n; i += kLanes) even += term(i, kLanes);
  if (i < n) odd += term(i, static_cast<int>(n - i));
  return sum_of_lanes(even + odd);
}

}  // namespace cdt

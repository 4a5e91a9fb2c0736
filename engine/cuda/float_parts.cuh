// Products of float32 numbers on tensor cores, with every number in three bfloat16 parts:
//   x y = x0 y0 + (x0 y1 + x1 y0) + (x0 y2 + x1 y1 + x2 y0) + less than 2^-23 of it.
// A tensor core cuts sums off where float32 rounds, so an accumulator that went through all of k
// would lose up to a unit in the last place at each step. Here it starts anew every 16 of k, the
// small products first, and float32 additions, which round to nearest, take the sum.
#pragma once

#include "engine/cuda/ptx.cuh"

namespace cdt {

constexpr int kFloatParts = 3;

/// The next part of x and y, as fragments hold them: rounded to bfloat16, and taken away from them.
/// x = x0 + x1 + x2 exactly (but for numbers below 2^-110).
__device__ __forceinline__ std::uint32_t take_part(float& x, float& y) {
  const std::uint32_t part = ptx::pack(x, y);
  x -= __uint_as_float(part << 16U);
  y -= __uint_as_float(part & 0xFFFF0000U);
  return part;
}

/// The next part of four adjacent numbers.
__device__ __forceinline__ uint2 take_part(float4& four) {
  return make_uint2(take_part(four.x, four.y), take_part(four.z, four.w));
}

/// A fragment a of 16 rows and a fragment b of eight columns, by parts.
template <int kCount>
struct FragmentOfA {
  std::uint32_t part[kCount][4];
};
template <int kCount>
struct FragmentOfB {
  std::uint32_t part[kCount][2];
};
using FloatFragmentA = FragmentOfA<kFloatParts>;
using FloatFragmentB = FragmentOfB<kFloatParts>;

/// sum(m, n) += a[m] b[n], fragments of 16 of k; sum gives a float(&)[4]. The
/// products of a sum wait for each other, those of different m and n do not: a tensor core answers
/// an `mma` after the time of five.
template <int kA, int kB, class Sum>
__device__ __forceinline__ void add_float_products(const Sum& sum, const FloatFragmentA (&a)[kA],
                                                   const FloatFragmentB (&b)[kB]) {
  float c[kA][kB][4] = {};
#pragma unroll
  for (int order = kFloatParts - 1; order >= 0; --order) {  // 2^(-8 order) of the whole
#pragma unroll
    for (int i = order; i >= 0; --i) {
#pragma unroll
      for (int n = 0; n < kB; ++n) {
#pragma unroll
        for (int m = 0; m < kA; ++m) {
          ptx::mma(c[m][n], a[m].part[i], b[n].part[order - i][0], b[n].part[order - i][1]);
        }
      }
    }
  }
#pragma unroll
  for (int m = 0; m < kA; ++m) {
#pragma unroll
    for (int n = 0; n < kB; ++n) {
      float(&to)[4] = sum(m, n);
#pragma unroll
      for (int e = 0; e < 4; ++e) to[e] += c[m][n][e];
    }
  }
}

}  // namespace cdt

// Products of float32 numbers on tensor cores, every number split into three bfloat16 parts:
//   x y = x0 y0 + (x0 y1 + x1 y0) + (x0 y2 + x1 y1 + x2 y0) + less than 2^-23 of it.
// Tensor cores truncate sums where float32 rounds, so one accumulator over all of k could lose up
// to a unit in the last place at each step. Here the accumulator restarts every 16 of k, the small
// products are added first, and ordinary float32 additions, which round to nearest, collect the
// results.
#pragma once

#include "engine/cuda/ptx.cuh"

namespace cdt {

constexpr int kFloatParts = 3;

/// Extracts the next part of x and y, packed as fragments hold them: rounds both to bfloat16 and
/// subtracts the rounded values from x and y. x = x0 + x1 + x2 exactly (except below 2^-110).
__device__ __forceinline__ std::uint32_t take_part(float& x, float& y) {
  const std::uint32_t part = ptx::pack(x, y);
  x -= __uint_as_float(part << 16U);
  y -= __uint_as_float(part & 0xFFFF0000U);
  return part;
}

/// Extracts the next part of four adjacent numbers.
__device__ __forceinline__ uint2 take_part(float4& four) {
  return make_uint2(take_part(four.x, four.y), take_part(four.z, four.w));
}

/// Fragment a of 16 rows and fragment b of eight columns, one per part.
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

/// sum(m, n) += a[m] b[n] over 16 of k; sum returns a float(&)[4]. The products of one sum depend
/// on each other. Those of different m and n do not, and hide the latency of an `mma`, in which
/// five can be issued.
template <int kA, int kB, class Sum>
__device__ __forceinline__ void add_float_products(const Sum& sum, const FloatFragmentA (&a)[kA],
                                                   const FloatFragmentB (&b)[kB]) {
  float c[kA][kB][4] = {};
#pragma unroll
  for (int order = kFloatParts - 1; order >= 0; --order) {  // size: 2^(-8 order)
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

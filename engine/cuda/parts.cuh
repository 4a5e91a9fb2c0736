// Numbers of float32 as three of bfloat16, and products of them on tensor cores:
//   x y = x0 y0 + (x0 y1 + x1 y0) + (x0 y2 + x1 y1 + x2 y0) + less than 2^-23 of it.
// A tensor core cuts sums off where float32 rounds, so an accumulator that went through all of k
// would lose up to a unit in the last place at each step. Here it starts anew every 16 of k, the
// small products first, and float32 additions, which round to nearest, take the sum.
#pragma once

#include "engine/cuda/ptx.cuh"

namespace cdt {

constexpr int kParts = 3;

/// The next part of x and y, as fragments hold them: rounded to bfloat16, and taken away from them.
/// x = x0 + x1 + x2 exactly (but for numbers below 2^-110).
__device__ __forceinline__ std::uint32_t take_part(float& x, float& y) {
  const std::uint32_t part = ptx::pack(x, y);
  x -= __uint_as_float(part << 16U);
  y -= __uint_as_float(part & 0xFFFF0000U);
  return part;
}

/// sum[n][m] += a[m] b[n] over 16 of k, for fragments in three parts. They are kColumns * kRows
/// independent accumulators: a tensor core answers an `mma` after the time of five.
template <int kColumns, int kRows>
__device__ __forceinline__ void add_parts_product(float (*sum)[kRows][4],
                                                  const std::uint32_t (&a)[kRows][kParts][4],
                                                  const std::uint32_t (&b)[kColumns][kParts][2]) {
  float c[kColumns][kRows][4] = {};
#pragma unroll
  for (int order = kParts - 1; order >= 0; --order) {  // 2^(-8 order) of the whole
#pragma unroll
    for (int i = order; i >= 0; --i) {
#pragma unroll
      for (int n = 0; n < kColumns; ++n) {
#pragma unroll
        for (int m = 0; m < kRows; ++m) {
          ptx::mma(c[n][m], a[m][i], b[n][order - i][0], b[n][order - i][1]);
        }
      }
    }
  }
#pragma unroll
  for (int n = 0; n < kColumns; ++n) {
#pragma unroll
    for (int m = 0; m < kRows; ++m) {
#pragma unroll
      for (int e = 0; e < 4; ++e) sum[n][m][e] += c[n][m][e];
    }
  }
}

}  // namespace cdt

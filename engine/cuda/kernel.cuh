// Shared kernel code: dropout masks, loops over a row, sums over a block. A block processes one row
// of its tensor unless a kernel says otherwise; blocks have at most 256 threads, in whole warps.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "engine/bfloat16.h"
#include "engine/cuda/launch.h"

namespace cdt {

__device__ __forceinline__ float infinity() { return __int_as_float(0x7F800000); }

/// Philox4x32-10 as in engine/random.h.
__device__ __forceinline__ uint4 philox(uint4 c, std::uint32_t key0, std::uint32_t key1) {
#pragma unroll
  for (int round = 0; round < 10; ++round) {
    const std::uint32_t a_high = __umulhi(0xD2511F53U, c.x);
    const std::uint32_t a_low = 0xD2511F53U * c.x;
    const std::uint32_t b_high = __umulhi(0xCD9E8D57U, c.z);
    const std::uint32_t b_low = 0xCD9E8D57U * c.z;
    c = make_uint4(b_high ^ c.y ^ key0, b_low, a_high ^ c.w ^ key1, a_low);
    key0 += 0x9E3779B9U;
    key1 += 0xBB67AE85U;
  }
  return c;
}

/// The multipliers, 0 or the mask's scale, of the eight columns of an octet: at[j][e] is column
/// first + 16 j + e. Octet o of a row has first = 64 * (o / 8) + 2 * (o % 8).
struct Octet {
  float at[4][2];
};

__device__ __forceinline__ Octet mask_octet(const Mask& mask, std::uint32_t row,
                                            std::uint32_t octet) {
  const uint4 draw =
      philox(make_uint4(octet, row, mask.site, __ldg(mask.step)), mask.key0, mask.key1);
  const std::uint32_t word[4] = {draw.x, draw.y, draw.z, draw.w};
  Octet factor;
#pragma unroll
  for (int j = 0; j < 4; ++j) {
    factor.at[j][0] = word[j] << 16U >= mask.threshold ? mask.scale : 0.0F;
    factor.at[j][1] = word[j] >= mask.threshold ? mask.scale : 0.0F;
  }
  return factor;
}

/// Calls body(column) for every column of a row.
template <class Body>
__device__ __forceinline__ void for_columns(int cols, const Body& body) {
  const int quads = (cols + 63) / 64 * 16;
  for (int q = static_cast<int>(threadIdx.x); q < quads; q += static_cast<int>(blockDim.x)) {
    const int first = 64 * (q / 16) + q % 16;
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      if (first + 16 * i < cols) body(first + 16 * i);
    }
  }
}

/// Calls body(column, factor) with the multipliers of row `row` of this process's part of the mask;
/// each thread handles the columns of its octets, so not the same ones as in for_columns().
template <class Body>
__device__ __forceinline__ void for_masked_columns(const Mask& mask, std::uint32_t row, int cols,
                                                   const Body& body) {
  if (mask.threshold == 0) {
    for_columns(cols, [&](int c) { body(c, mask.scale); });
    return;
  }
  const int octets = (cols + 63) / 64 * 8;
  for (int o = static_cast<int>(threadIdx.x); o < octets; o += static_cast<int>(blockDim.x)) {
    const int first = 64 * (o / 8) + 2 * (o % 8);
    const Octet factor = mask_octet(mask, mask.first_row + row, static_cast<std::uint32_t>(o));
#pragma unroll
    for (int j = 0; j < 4; ++j) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        if (first + 16 * j + e < cols) body(first + 16 * j + e, factor.at[j][e]);
      }
    }
  }
}

struct Sum {
  template <class T>
  __device__ __forceinline__ T operator()(T a, T b) const {
    return a + b;
  }
};
struct Max {  // b where either is NaN
  __device__ __forceinline__ float operator()(float a, float b) const { return a > b ? a : b; }
};

/// Combines the values of all threads in a fixed order and returns the result to every thread. All
/// threads must call it.
template <class T, class Combine>
__device__ __forceinline__ T over_block(T value, const Combine& combine) {
  __shared__ T of_warp[8];
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    value = combine(value, __shfl_xor_sync(0xFFFFFFFFU, value, lanes));
  }
  if (threadIdx.x % 32 == 0) of_warp[threadIdx.x / 32] = value;
  __syncthreads();
  T result = of_warp[0];
  for (unsigned warp = 1; warp < blockDim.x / 32; ++warp) result = combine(result, of_warp[warp]);
  __syncthreads();
  return result;
}

template <class T>
__device__ __forceinline__ T sum_over_block(T value) {
  return over_block(value, Sum{});
}

template <class T>
__device__ __forceinline__ float load(const T* p, std::int64_t i) {
  return to_float(p[i]);
}
template <class T>
__device__ __forceinline__ void store(T* p, std::int64_t i, float x) {
  p[i] = from_float(x, T{});
}

/// Calls body(h, sum over head h of x * y) for two rows of heads, one warp per head, in the warp's
/// first lane.
template <class T, class Body>
__device__ __forceinline__ void for_head_dots(const T* x, const T* y, int heads, int head_dim,
                                              const Body& body) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  for (int h = static_cast<int>(threadIdx.x / 32); h < heads;
       h += static_cast<int>(blockDim.x / 32)) {
    float sum = 0.0F;
    for (int k = h * head_dim + lane; k < (h + 1) * head_dim; k += 32) {
      sum += load(x, k) * load(y, k);
    }
    for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xFFFFFFFFU, sum, lanes);
    if (lane == 0) body(h, sum);
  }
}

/// The maximum of a row, and the sum of e^(x - maximum).
struct SoftmaxRow {
  float max, sum;
};

/// Computes both over the columns of a row, for all threads of the block.
__device__ __forceinline__ SoftmaxRow softmax_row(const float* row, int cols) {
  float high = -infinity();
  for_columns(cols, [&](int c) { high = Max{}(high, row[c]); });
  high = over_block(high, Max{});
  float sum = 0.0F;
  for_columns(cols, [&](int c) { sum += expf(row[c] - high); });
  return {high, sum_over_block(sum)};
}

}  // namespace cdt

// What the fused forward and backward kernels share. Grid: (tiles of 64 rows, heads, samples).
#pragma once

#include <type_traits>

#include "engine/cuda/fused_attention.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"
#include "engine/cuda/tiles.cuh"

namespace cdt {

constexpr float kLog2E = 1.4426950408889634F;
constexpr float kLn2 = 0.6931471805599453F;

/// Element 0 of row `row` of this block's head and sample.
template <int K>
__device__ __forceinline__ BFloat16* head_row(const FusedView& view, int row) {
  return view.data + blockIdx.z * view.batch_stride + row * view.row_stride + blockIdx.y * K;
}

/// Number of query `i` of this block's head and sample among all: its row of masks.
__device__ __forceinline__ std::int64_t query_number(const FusedAttention& a, int i) {
  return (std::int64_t{blockIdx.z} * a.heads + blockIdx.y) * a.queries + i;
}

__device__ __forceinline__ float* sums_of_head(const FusedAttention& a) {
  return a.log_sum_exp + blockIdx.z * a.sums_stride + std::int64_t{blockIdx.y} * a.queries;
}

/// Starts to load the 64 rows from `first` on of two operands.
template <int K>
__device__ __forceinline__ void load_pair(const Tile<K>& x, const FusedView& from_x,
                                          const Tile<K>& y, const FusedView& from_y, int first,
                                          int rows) {
  x.load_later(head_row<K>(from_x, first), from_x.row_stride, rows - first);
  y.load_later(head_row<K>(from_y, first), from_y.row_stride, rows - first);
}

/// The turns of a loop over tiles with two stages: load(j) starts stage j % 2, use(j) has it.
template <class Load, class Use>
__device__ __forceinline__ void pipeline(int tiles, const Load& load, const Use& use) {
  load(0);
  ptx::close_copies();
  for (int j = 0; j < tiles; ++j) {
    if (j + 1 < tiles) {
      load(j + 1);
      ptx::close_copies();
      ptx::wait_copies<1>();
    } else {
      ptx::wait_copies<0>();
    }
    __syncthreads();
    use(j);
    __syncthreads();
  }
}

/// body(n, c, kept?) for the elements c of fragments n of 64 queries' scores: rows `number[half]`
/// of the mask, keys [64 tile, 64 tile + 64). Of a mask's quads (kernel.cuh) each falls on one
/// thread.
template <class Body>
__device__ __forceinline__ void for_kept(const Mask& mask, const std::int64_t (&number)[2],
                                         int tile, const Body& body) {
  const int t = static_cast<int>(threadIdx.x % 4);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
#pragma unroll
    for (int odd = 0; odd < 2; ++odd) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const auto quad = static_cast<std::uint32_t>(16 * tile + 8 * odd + 2 * t + e);
        const uint4 draw = philox(
            make_uint4(quad, static_cast<std::uint32_t>(number[half]), mask.site, *mask.step),
            mask.key0, mask.key1);
        body(odd, 2 * half + e, draw.x >= mask.threshold);
        body(odd + 2, 2 * half + e, draw.y >= mask.threshold);
        body(odd + 4, 2 * half + e, draw.z >= mask.threshold);
        body(odd + 6, 2 * half + e, draw.w >= mask.threshold);
      }
    }
  }
}

/// A block for each tile of rows, head and sample.
inline dim3 tile_grid(const FusedAttention& a, int rows) {
  return {blocks_for(rows, kTileRows), static_cast<unsigned>(a.heads),
          static_cast<unsigned>(a.batch)};
}

/// body(std::integral_constant<int, K>) for heads of K; false where there are no kernels for them.
template <class Body>
bool with_head_dim(std::int64_t head_dim, const Body& body) {
  switch (head_dim) {
    case 32:
      body(std::integral_constant<int, 32>{});
      return true;
    case 64:
      body(std::integral_constant<int, 64>{});
      return true;
    case 96:
      body(std::integral_constant<int, 96>{});
      return true;
    default:
      return false;
  }
}

}  // namespace cdt

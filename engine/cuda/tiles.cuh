// Tiles of 64 rows in shared memory, and the two products of attention with them. A block is four
// warps; a warp owns 16 rows of the result. Rows are K + 8 elements apart, so that the eight rows
// of a block lie in different banks.
#pragma once

#include "engine/bfloat16.h"
#include "engine/cuda/ptx.cuh"

namespace cdt {

constexpr int kTileRows = 64;
constexpr int kTileThreads = 128;
constexpr int kTileColumns = kTileRows / 8;  // fragments c of a row of scores

template <int K>
struct Tile {
  static constexpr int kStride = K + 8;
  static constexpr int kElements = kTileRows * kStride;
  BFloat16* base;

  __device__ __forceinline__ BFloat16* at(int row, int column) const {
    return base + row * kStride + column;
  }
  /// Starts to load rows of K elements, `stride` elements apart; those from `rows` on become zero.
  __device__ __forceinline__ void load_later(const BFloat16* from, std::int64_t stride,
                                             int rows) const {
    constexpr int kPieces = K / 8;  // of 16 bytes
    for (int i = static_cast<int>(threadIdx.x); i < kTileRows * kPieces; i += kTileThreads) {
      const int row = i / kPieces;
      const int column = i % kPieces * 8;
      const bool outside = row >= rows;
      ptx::copy_later(at(row, column), from + (outside ? 0 : row * stride) + column, outside);
    }
  }
};

/// 16 rows of scores or of their gradients against 64 others, as fragments c.
struct Scores {
  float c[kTileColumns][4];
};

/// Fragment a of rows [row, row + 16), columns [column, column + 16).
template <int K>
__device__ __forceinline__ void load_a(std::uint32_t (&a)[4], const Tile<K>& tile, int row,
                                       int column) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  ptx::load_blocks(a, tile.at(row + lane % 16, column + lane / 16 * 8));
}

/// scores = (rows [row, row + 16) of x) y^T
template <int K>
__device__ __forceinline__ void multiply_transposed(Scores* scores, const Tile<K>& x, int row,
                                                    const Tile<K>& y) {
  const int lane = static_cast<int>(threadIdx.x % 32);
#pragma unroll
  for (auto& c : scores->c) c[0] = c[1] = c[2] = c[3] = 0.0F;
#pragma unroll
  for (int k = 0; k < K; k += 16) {
    std::uint32_t a[4];
    load_a(a, x, row, k);
#pragma unroll
    for (int n = 0; n < kTileColumns; n += 2) {
      std::uint32_t b[4];
      ptx::load_blocks(b, y.at(8 * n + lane % 8 + lane / 16 * 8, k + lane / 8 % 2 * 8));
      ptx::mma(scores->c[n], a, b[0], b[1]);
      ptx::mma(scores->c[n + 1], a, b[2], b[3]);
    }
  }
}

/// sum(16, K) += scores y, scores rounded to bfloat16
template <int K>
__device__ __forceinline__ void multiply_add(float (&sum)[K / 8][4], const Scores& scores,
                                             const Tile<K>& y) {
  const int lane = static_cast<int>(threadIdx.x % 32);
#pragma unroll
  for (int k = 0; k < kTileColumns; k += 2) {
    const float(&low)[4] = scores.c[k];
    const float(&high)[4] = scores.c[k + 1];
    const std::uint32_t a[4] = {ptx::pack(low[0], low[1]), ptx::pack(low[2], low[3]),
                                ptx::pack(high[0], high[1]), ptx::pack(high[2], high[3])};
#pragma unroll
    for (int n = 0; n < K / 8; n += 2) {
      std::uint32_t b[4];
      ptx::load_blocks_transposed(b, y.at(8 * k + lane % 16, 8 * n + lane / 16 * 8));
      ptx::mma(sum[n], a, b[0], b[1]);
      ptx::mma(sum[n + 1], a, b[2], b[3]);
    }
  }
}

/// The rows of both halves times their factors.
template <int K>
__device__ __forceinline__ void scale_rows(float (&sum)[K / 8][4], const float (&factor)[2]) {
#pragma unroll
  for (auto& c : sum) {
    c[0] *= factor[0];
    c[1] *= factor[0];
    c[2] *= factor[1];
    c[3] *= factor[1];
  }
}

/// Rows [row, row + 16) of `to`, those below `rows`, = sum times the factor of the row's half.
template <int K>
__device__ __forceinline__ void store_rows(BFloat16* to, std::int64_t stride, int row, int rows,
                                           const float (&sum)[K / 8][4], const float (&factor)[2]) {
  const int lane = static_cast<int>(threadIdx.x % 32);
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int r = row + lane / 4 + 8 * half;
    if (r >= rows) continue;
#pragma unroll
    for (int n = 0; n < K / 8; ++n) {
      *reinterpret_cast<std::uint32_t*>(to + r * stride + 8 * n + lane % 4 * 2) =
          ptx::pack(sum[n][2 * half] * factor[half], sum[n][2 * half + 1] * factor[half]);
    }
  }
}

}  // namespace cdt

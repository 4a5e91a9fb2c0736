// Column sums within a block: each thread or row has its own sums, and the block adds them up in
// order.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "engine/cuda/rows.cuh"

namespace cdt {

/// Writes a block's row of partial (blocks, cols): the sums of its threads, added over the slots in
/// order. All threads must call it.
__device__ __forceinline__ void store_partials(const Walk& walk, const Unit& sum, float* partial) {
  __shared__ float4 of_thread[4][kWalkThreads];
#pragma unroll
  for (int j = 0; j < 4; ++j) of_thread[j][threadIdx.x] = packed(sum.at[j], float{});
  __syncthreads();
  const int lane = static_cast<int>(threadIdx.x);
  const int unit = static_cast<int>(blockIdx.x) * walk.lanes + lane;
  if (lane >= walk.lanes || unit >= walk.units) return;
  Unit total = sum;
  for (int slot = 1; slot < walk.slots; ++slot) {
#pragma unroll
    for (int j = 0; j < 4; ++j) {
      float more[4];
      unpack(of_thread[j][slot * walk.lanes + lane], more);
#pragma unroll
      for (int i = 0; i < 4; ++i) total.at[j][i] += more[i];
    }
  }
  store_unit<false>(partial + std::int64_t{blockIdx.y} * walk.cols, unit, walk.cols, total);
}

/// Sums over the rows that a group of sixteen lanes processes; each lane sums its own columns. The
/// sums are in shared memory, where the four floats of a lane's piece are adjacent to the
/// neighbouring lane's. For wide rows (kUnits 0) they are in the group's own set of `partial` in
/// global memory.
template <int kSums, int kUnits, bool kWhole>
class ColumnSums {
 public:
  static constexpr int kPiecesOfSum = kUnits * 4 * kRowLanes;  // in shared memory, per row
  static constexpr int kPieces = kSums * kPiecesOfSum;

  __device__ __forceinline__ ColumnSums(float4* shared, float* own, int cols)
      : shared_(shared), own_(own), cols_(cols) {}
  /// Adds x to piece j of unit k, which starts at column c, of sum `which`.
  __device__ __forceinline__ void add(int which, int k, int j, int c, const float (&x)[4]) {
    float sum[4];
    unpack(read(which, k, j, c), sum);
#pragma unroll
    for (int i = 0; i < 4; ++i) sum[i] += x[i];
    write(which, k, j, c, packed(sum, float{}));
  }
  __device__ __forceinline__ void clear(int k, int unit) {
#pragma unroll
    for (int which = 0; which < kSums; ++which) {
#pragma unroll
      for (int j = 0; j < 4; ++j) {
        write(which, k, j, first_column(unit) + 16 * j, make_float4(0.0F, 0.0F, 0.0F, 0.0F));
      }
    }
  }
  /// First column of piece p of a row in shared memory.
  static __device__ __forceinline__ int column(int p) {
    const int j = p / kRowLanes % 4;
    const int k = p % kPiecesOfSum / (4 * kRowLanes);
    return first_column(p % kRowLanes + kRowLanes * k) + 16 * j;
  }

 private:
  __device__ __forceinline__ float4& place(int which, int k, int j) {
    const int lane = static_cast<int>(threadIdx.x) % kRowLanes;
    return shared_[((which * kUnits + k) * 4 + j) * kRowLanes + lane];
  }
  __device__ __forceinline__ float4 read(int which, int k, int j, int c) {
    if constexpr (kUnits > 0) return place(which, k, j);
    return load_piece<kWhole>(own_ + std::int64_t{which} * cols_, c, cols_);
  }
  __device__ __forceinline__ void write(int which, int k, int j, int c, float4 piece) {
    if constexpr (kUnits > 0) {
      place(which, k, j) = piece;
    } else {
      store_piece<kWhole>(own_ + std::int64_t{which} * cols_, c, cols_, piece);
    }
  }

  float4* shared_;
  float* own_;
  int cols_;
};

/// Writes to partial the sums over a block's kRows rows, added in order. All threads of the block
/// must call it.
template <class Sums, int kRows, bool kWhole>
__device__ __forceinline__ void store_sums(const float4* shared, float* partial, int cols) {
  __syncthreads();
  for (int p = static_cast<int>(threadIdx.x); p < Sums::kPieces; p += kRows * kRowLanes) {
    float total[4] = {};
    for (int r = 0; r < kRows; ++r) {
      float sum[4];
      unpack(shared[r * Sums::kPieces + p], sum);
#pragma unroll
      for (int i = 0; i < 4; ++i) total[i] += sum[i];
    }
    const int which = p / Sums::kPiecesOfSum;
    store_piece<kWhole>(partial + std::int64_t{which} * cols, Sums::column(p), cols,
                        packed(total, float{}));
  }
}

}  // namespace cdt

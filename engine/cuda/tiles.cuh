// Tiles of rows in shared memory (bfloat16, float32 or float32 in parts, FloatPart), and how they
// are loaded.
#pragma once

#include <cstdint>
#include <type_traits>

#include "engine/bfloat16.h"
#include "engine/cuda/float_parts.cuh"
#include "engine/cuda/fused_attention.h"
#include "engine/cuda/ptx.cuh"

namespace cdt {

constexpr int kTileThreads = 128;
constexpr int kThreadsOfRow = 4;  // threads that copy one row

template <class T>
constexpr int kPiece = 16 / static_cast<int>(sizeof(T));  // elements per copy
template <class T>
constexpr int kDepth = 2 * kPiece<T>;  // columns per fragment a: mma.m16n8k16, or k8 in tf32
template <class T>
constexpr bool kInParts = std::is_same_v<T, FloatPart>;
template <class T>
constexpr int kParts = kInParts<T> ? kFloatParts : 1;

__device__ __forceinline__ int lane_number() { return static_cast<int>(threadIdx.x % 32); }
__device__ __forceinline__ int warp_number() { return static_cast<int>(threadIdx.x / 32); }

/// kRows rows of K elements, part after part. The row stride is K + kPiece elements: then the eight
/// rows of a block fall into different banks, and so do rows 2t and columns 2g, 2g + 1, which
/// float32 loads in pairs.
template <class T, int K, int kRows>
struct Tile {
  static constexpr int kStride = K + kPiece<T>;
  static constexpr int kElements = kRows * kStride;
  static constexpr int kBytes = kParts<T> * kElements * static_cast<int>(sizeof(T));
  T* base;

  __device__ __forceinline__ T* at(int row, int column, int part = 0) const {
    return base + part * kElements + row * kStride + column;
  }
};

/// Fewest columns for kernels of width K: they handle heads of kLeastColumns<K> to K columns.
template <int K>
constexpr int kLeastColumns = K == 32 ? 8 : K - 24;

/// Rows in global memory, copied a tile at a time with kThreadsOfRow threads per row.
template <class T, int K, int kThreads = kTileThreads>
struct RowSource {
  const char* base;
  int stride;   // bytes from one row to the next
  int columns;  // columns of a head; the tile's columns from there to K become zero

  __device__ __forceinline__ RowSource(const T* rows, std::int64_t row_stride, int head_dim)
      : base(reinterpret_cast<const char*>(rows)),
        stride(static_cast<int>(row_stride * static_cast<int>(sizeof(T)))),
        columns(head_dim) {}

  /// Starts to load a tile of rows starting at `begin`; rows from `rows` on become zero.
  template <int kRows>
  __device__ __forceinline__ void load_later(const Tile<T, K, kRows>& to, int begin,
                                             int rows) const {
    constexpr int kStep = kThreads / kThreadsOfRow;
#pragma unroll
    for (int r = 0; r < kRows; r += kStep) {
      if (kRows % kStep != 0 && row() + r >= kRows) continue;
      const bool outside = begin + row() + r >= rows;
      const char* const from =
          base + std::int64_t{begin + row() + r} * stride + column() * static_cast<int>(sizeof(T));
#pragma unroll
      for (int c = 0; c < K; c += kThreadsOfRow * kPiece<T>) {
        const bool behind =
            c + kThreadsOfRow * kPiece<T> > kLeastColumns<K> && c + column() >= columns;
#pragma unroll
        for (int part = 0; part < kParts<T>; ++part) {
          ptx::copy_later(to.at(row() + r, c + column(), part),
                          from + (part * columns + c) * int{sizeof(T)}, outside || behind);
        }
      }
    }
  }

 private:
  static __device__ __forceinline__ int row() {
    return static_cast<int>(threadIdx.x) / kThreadsOfRow;
  }
  static __device__ __forceinline__ int column() {
    return static_cast<int>(threadIdx.x) % kThreadsOfRow * kPiece<T>;
  }
};

}  // namespace cdt

// Tiles of rows in shared memory and the two products of attention with them, on tensor cores: in
// bfloat16, and in tf32 where T is float. A warp owns one or two groups of 16 rows of the result.
#pragma once

#include <cstdint>
#include <type_traits>

#include "engine/bfloat16.h"
#include "engine/cuda/ptx.cuh"

namespace cdt {

constexpr int kTileThreads = 128;
constexpr int kThreadsOfRow = 4;  // that copy a row

template <class T>
constexpr int kPiece = 16 / static_cast<int>(sizeof(T));  // elements of a copy
template <class T>
constexpr int kDepth = 2 * kPiece<T>;  // columns of a fragment a: mma.m16n8k16, or k8 in tf32

__device__ __forceinline__ int lane_number() { return static_cast<int>(threadIdx.x % 32); }
__device__ __forceinline__ int warp_number() { return static_cast<int>(threadIdx.x / 32); }

/// kRows rows of K elements. They are K + kPiece elements apart: eight rows of a block then lie in
/// different banks, and so do rows 2t and columns 2g, 2g + 1 of what float32 loads by pairs.
template <class T, int K, int kRows>
struct Tile {
  static constexpr int kStride = K + kPiece<T>;
  static constexpr int kElements = kRows * kStride;
  static constexpr int kBytes = kElements * static_cast<int>(sizeof(T));
  T* base;

  __device__ __forceinline__ T* at(int row, int column) const {
    return base + row * kStride + column;
  }
};

/// Heads of kLeastColumns<K> to K columns are served by kernels for K.
template <int K>
constexpr int kLeastColumns = K == 32 ? 8 : K - 24;

/// Rows in global memory that are copied a tile at a time, kThreadsOfRow threads a row.
template <class T, int K, int kThreads = kTileThreads>
struct RowSource {
  const char* base;
  int stride;   // bytes from one row to the next
  int columns;  // of a head; up to K the tile's become zero

  __device__ __forceinline__ RowSource(const T* rows, std::int64_t row_stride, int head_dim)
      : base(reinterpret_cast<const char*>(rows)),
        stride(static_cast<int>(row_stride * static_cast<int>(sizeof(T)))),
        columns(head_dim) {}

  /// Starts to load the tile of rows from `begin` on; those from `rows` on become zero.
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
        ptx::copy_later(to.at(row() + r, c + column()), from + c * int{sizeof(T)},
                        outside || behind);
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

/// For products in tf32, which drop all but 10 bits behind the point: 0.72 of half a unit more, the
/// mean of what is lost over mantissas in [1, 2), so that the error is 0 on the average. Numbers of
/// 10 bits stay as they are.
__device__ __forceinline__ std::uint32_t to_tf32(float x) {
  constexpr float kMeanLoss = 0.72F / 2048.0F;
  return __float_as_uint(x * (1.0F + kMeanLoss));
}

/// What tensor cores read: float32 is made ready for tf32, bfloat16 stays.
template <class T, int kCount>
__device__ __forceinline__ void make_ready(std::uint32_t (&r)[kCount]) {
  if constexpr (sizeof(T) == 4) {
#pragma unroll
    for (auto& x : r) x = to_tf32(__uint_as_float(x));
  }
}

template <class T>
__device__ __forceinline__ void multiply(float (&c)[4], const std::uint32_t (&a)[4],
                                         std::uint32_t b0, std::uint32_t b1) {
  if constexpr (sizeof(T) == 2) {
    ptx::mma(c, a, b0, b1);
  } else {
    ptx::mma_tf32(c, a, b0, b1);
  }
}

/// 16 rows against N others, as fragments c.
template <int N>
struct Scores {
  float c[N / 8][4];
};

/// Fragments a of a warp's groups of 16 rows, read from their tile when they are wanted.
template <class T, int K, int kGroups, int kRows>
struct RowsInShared {
  Tile<T, K, kRows> tile;
  int row;

  __device__ __forceinline__ RowsInShared(const Tile<T, K, kRows>& of_block, int first)
      : tile(of_block), row(first) {}
  __device__ __forceinline__ void load() {}
  __device__ __forceinline__ void get(std::uint32_t (&a)[4], int group, int k) const {
    const int lane = lane_number();
    ptx::load_blocks(a, tile.at(row + 16 * group + lane % 16, k + lane / 16 * kPiece<T>));
    make_ready<T>(a);
  }
};

/// The same, read once.
template <class T, int K, int kGroups, int kRows>
struct RowsInRegisters {
  Tile<T, K, kRows> tile;
  int row;
  std::uint32_t fragments[kGroups][K / kDepth<T>][4];

  __device__ __forceinline__ RowsInRegisters(const Tile<T, K, kRows>& of_block, int first)
      : tile(of_block), row(first) {}
  __device__ __forceinline__ void load() {
    const RowsInShared<T, K, kGroups, kRows> rows(tile, row);
#pragma unroll
    for (int group = 0; group < kGroups; ++group) {
#pragma unroll
      for (int k = 0; k < K; k += kDepth<T>) rows.get(fragments[group][k / kDepth<T>], group, k);
    }
  }
  __device__ __forceinline__ void get(std::uint32_t (&a)[4], int group, int k) const {
#pragma unroll
    for (int i = 0; i < 4; ++i) a[i] = fragments[group][k / kDepth<T>][i];
  }
};

/// Rows of a block's tile as a warp's fragments.
template <class T, int K, int kGroups, int kRows, bool kInRegisters>
using RowsOf = std::conditional_t<kInRegisters, RowsInRegisters<T, K, kGroups, kRows>,
                                  RowsInShared<T, K, kGroups, kRows>>;

/// scores = x y^T: x a warp's rows (RowsIn..), y the rows [first, first + N) of a tile.
template <class T, int K, int N, int kGroups, class Rows, int kRows>
__device__ __forceinline__ void multiply_transposed(Scores<N> (&scores)[kGroups], const Rows& x,
                                                    const Tile<T, K, kRows>& y, int first) {
  const int lane = lane_number();
  const T* const corner = y.at(first + lane % 8 + lane / 16 * 8, lane / 8 % 2 * kPiece<T>);
#pragma unroll
  for (auto& s : scores) {
#pragma unroll
    for (auto& c : s.c) c[0] = c[1] = c[2] = c[3] = 0.0F;
  }
#pragma unroll
  for (int k = 0; k < K; k += kDepth<T>) {
    std::uint32_t a[kGroups][4];
#pragma unroll
    for (int group = 0; group < kGroups; ++group) x.get(a[group], group, k);
#pragma unroll
    for (int n = 0; n < N / 8; n += 2) {
      std::uint32_t b[4];
      ptx::load_blocks(b, corner + 8 * n * Tile<T, K, kRows>::kStride + k);
      make_ready<T>(b);
#pragma unroll
      for (int group = 0; group < kGroups; ++group) {
        multiply<T>(scores[group].c[n], a[group], b[0], b[1]);
        multiply<T>(scores[group].c[n + 1], a[group], b[2], b[3]);
      }
    }
  }
}

/// Fragment a of columns [8 n, 8 n + kDepth) of scores. In tf32 column 2t serves as column t and
/// 2t + 1 as t + 4; load_crossed() takes the rows of y in that order.
template <class T, int N>
__device__ __forceinline__ void fragment_of(std::uint32_t (&a)[4], const Scores<N>& s, int n) {
  if constexpr (sizeof(T) == 2) {
    const float(&low)[4] = s.c[n];
    const float(&high)[4] = s.c[n + 1];
    a[0] = ptx::pack(low[0], low[1]);
    a[1] = ptx::pack(low[2], low[3]);
    a[2] = ptx::pack(high[0], high[1]);
    a[3] = ptx::pack(high[2], high[3]);
  } else {
    a[0] = to_tf32(s.c[n][0]);
    a[1] = to_tf32(s.c[n][2]);
    a[2] = to_tf32(s.c[n][1]);
    a[3] = to_tf32(s.c[n][3]);
  }
}

/// Fragments b of rows [row, row + kDepth) and of 16 columns from `column` on, for two products. In
/// tf32 the first takes the even columns, the second the odd ones.
template <class T, int K, int kRows>
__device__ __forceinline__ void load_crossed(std::uint32_t (&b)[4], const Tile<T, K, kRows>& y,
                                             int row, int column) {
  const int lane = lane_number();
  if constexpr (sizeof(T) == 2) {
    ptx::load_blocks_transposed(b, y.at(row + lane % 16, column + lane / 16 * 8));
  } else {
    const T* const from = y.at(row + lane % 4 * 2, column + lane / 4 * 2);
    const float2 even = *reinterpret_cast<const float2*>(from);
    const float2 odd = *reinterpret_cast<const float2*>(from + Tile<T, K, kRows>::kStride);
    b[0] = to_tf32(even.x);
    b[1] = to_tf32(odd.x);
    b[2] = to_tf32(even.y);
    b[3] = to_tf32(odd.y);
  }
}

/// sum(16 kGroups, K) += s y: s has N columns, y's rows are [first, first + N) of a tile.
/// fragment(a, group, n): fragment a of columns [8 n, 8 n + kDepth) of s.
template <int N, class T, int K, int kGroups, int kRows, class Fragment>
__device__ __forceinline__ void multiply_add(float (&sum)[kGroups][K / 8][4],
                                             const Tile<T, K, kRows>& y, int first,
                                             const Fragment& fragment) {
#pragma unroll
  for (int n = 0; n < N / 8; n += kDepth<T> / 8) {
    std::uint32_t a[kGroups][4];
#pragma unroll
    for (int group = 0; group < kGroups; ++group) fragment(a[group], group, n);
#pragma unroll
    for (int column = 0; column < K; column += 16) {
      std::uint32_t b[4];
      load_crossed(b, y, first + 8 * n, column);
#pragma unroll
      for (int group = 0; group < kGroups; ++group) {
        multiply<T>(sum[group][column / 8], a[group], b[0], b[1]);
        multiply<T>(sum[group][column / 8 + 1], a[group], b[2], b[3]);
      }
    }
  }
}

/// Two adjacent elements.
__device__ __forceinline__ void store_pair(BFloat16* to, float x, float y) {
  *reinterpret_cast<std::uint32_t*>(to) = ptx::pack(x, y);
}
__device__ __forceinline__ void store_pair(float* to, float x, float y) {
  *reinterpret_cast<float2*>(to) = make_float2(x, y);
}

/// Row g + 8 half of a group's sum, made by products of T, times a factor; columns from `columns`
/// on are left out.
template <class T, int K, class To>
__device__ __forceinline__ void store_row(To* to, const float (&sum)[K / 8][4], int half,
                                          float factor, int columns) {
  const int t = lane_number() % 4;
#pragma unroll
  for (int n = 0; n < K / 8; n += 2) {
    const float x[4] = {sum[n][2 * half] * factor, sum[n][2 * half + 1] * factor,
                        sum[n + 1][2 * half] * factor, sum[n + 1][2 * half + 1] * factor};
    if constexpr (sizeof(T) == 2) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        if (8 * (n + i + 1) > kLeastColumns<K> && 8 * (n + i) >= columns) continue;
        store_pair(to + 8 * (n + i) + 2 * t, x[2 * i], x[2 * i + 1]);
      }
    } else {  // the columns of load_crossed()
      if (8 * (n + 2) > kLeastColumns<K> && 8 * n + 4 * t >= columns) continue;
      *reinterpret_cast<float4*>(to + 8 * n + 4 * t) = make_float4(x[0], x[2], x[1], x[3]);
    }
  }
}

}  // namespace cdt

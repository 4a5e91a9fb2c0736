// The two products of attention with tiles of rows, on tensor cores: in bfloat16, in tf32 if T is
// float, and in float32 if T is FloatPart. A warp owns one or two groups of 16 rows of the result.
#pragma once

#include <cstdint>
#include <type_traits>

#include "engine/bfloat16.h"
#include "engine/cuda/float_parts.cuh"
#include "engine/cuda/tiles.cuh"

namespace cdt {

/// Prepares x for tf32 products, which truncate the mantissa to 10 bits: adds 0.72 of half a unit,
/// the mean of the truncated part over mantissas in [1, 2), so that the mean error is 0. Numbers
/// with 10 bits do not change.
__device__ __forceinline__ std::uint32_t to_tf32(float x) {
  constexpr float kMeanLoss = 0.72F / 2048.0F;
  return __float_as_uint(x * (1.0F + kMeanLoss));
}

/// Converts registers to what tensor cores read: float32 is prepared for tf32, bfloat16 is
/// unchanged.
template <class T, int kCount>
__device__ __forceinline__ void make_ready(std::uint32_t (&r)[kCount]) {
  if constexpr (sizeof(T) == 4) {
#pragma unroll
    for (auto& x : r) x = to_tf32(__uint_as_float(x));
  }
}

/// Fragment a of 16 rows and kDepth columns.
template <class T>
using FragmentA = FragmentOfA<kParts<T>>;
/// Fragment b of kDepth rows and 8 columns.
template <class T>
using FragmentB = FragmentOfB<kParts<T>>;

/// sum(m, n) += a[m] b[n]; sum returns a float(&)[4].
template <class T, int kA, int kB, class Sum>
__device__ __forceinline__ void multiply(const Sum& sum, const FragmentA<T> (&a)[kA],
                                         const FragmentB<T> (&b)[kB]) {
  if constexpr (kInParts<T>) {
    add_float_products(sum, a, b);
    __syncwarp();  // otherwise the compiler loads ahead and spills registers
  } else {
#pragma unroll
    for (int m = 0; m < kA; ++m) {
#pragma unroll
      for (int n = 0; n < kB; ++n) {
        if constexpr (sizeof(T) == 2) {
          ptx::mma(sum(m, n), a[m].part[0], b[n].part[0][0], b[n].part[0][1]);
        } else {
          ptx::mma_tf32(sum(m, n), a[m].part[0], b[n].part[0][0], b[n].part[0][1]);
        }
      }
    }
  }
}

/// Loads two fragments b from the four registers that load(r, part) fills for each part.
template <class T, class Load>
__device__ __forceinline__ void load_fragments(FragmentB<T> (&b)[2], const Load& load) {
#pragma unroll
  for (int part = 0; part < kParts<T>; ++part) {
    std::uint32_t r[4];
    load(r, part);
    b[0].part[part][0] = r[0];
    b[0].part[part][1] = r[1];
    b[1].part[part][0] = r[2];
    b[1].part[part][1] = r[3];
  }
}

/// Scores of 16 rows against N others, as fragments c.
template <int N>
struct Scores {
  float c[N / 8][4];
};

/// Fragments a of a warp's groups of 16 rows, read from their tile on each use.
template <class T, int K, int kGroups, int kRows>
struct RowsInShared {
  static constexpr bool kInRegisters = false;
  Tile<T, K, kRows> tile;
  int row;

  __device__ __forceinline__ RowsInShared(const Tile<T, K, kRows>& of_block, int first)
      : tile(of_block), row(first) {}
  __device__ __forceinline__ void load() {}
  __device__ __forceinline__ void get(FragmentA<T>& a, int group, int k) const {
    const int lane = lane_number();
#pragma unroll
    for (int part = 0; part < kParts<T>; ++part) {
      ptx::load_blocks(a.part[part],
                       tile.at(row + 16 * group + lane % 16, k + lane / 16 * kPiece<T>, part));
      make_ready<T>(a.part[part]);
    }
  }
};

/// As RowsInShared, but the fragments are read once and kept in registers.
template <class T, int K, int kGroups, int kRows>
struct RowsInRegisters {
  static constexpr bool kInRegisters = true;
  Tile<T, K, kRows> tile;
  int row;
  FragmentA<T> fragments[kGroups][K / kDepth<T>];

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
  __device__ __forceinline__ void get(FragmentA<T>& a, int group, int k) const {
    a = fragments[group][k / kDepth<T>];
  }
};

/// The rows of a block's tile as a warp's fragments.
template <class T, int K, int kGroups, int kRows, bool kInRegisters>
using RowsOf = std::conditional_t<kInRegisters, RowsInRegisters<T, K, kGroups, kRows>,
                                  RowsInShared<T, K, kGroups, kRows>>;

/// Steps of k that multiply_transposed() unrolls. In parts, more of them would load ahead into
/// registers that the sums need.
template <class T, int K, class Rows>
constexpr int kSteps = kInParts<T> && !Rows::kInRegisters ? 2 : K / kDepth<T>;

/// scores = x y^T, where x is a warp's rows (RowsIn..) and y the rows [first, first + N) of a tile.
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
#pragma unroll(kSteps <T, K, Rows>)
  for (int k = 0; k < K; k += kDepth<T>) {
    FragmentA<T> a[kGroups];
#pragma unroll
    for (int group = 0; group < kGroups; ++group) x.get(a[group], group, k);
#pragma unroll
    for (int n = 0; n < N / 8; n += 2) {
      FragmentB<T> b[2];
      load_fragments<T>(b, [&](std::uint32_t(&r)[4], int part) {
        using Others = Tile<T, K, kRows>;
        ptx::load_blocks(r, corner + part * Others::kElements + 8 * n * Others::kStride + k);
        make_ready<T>(r);
      });
      multiply<T>(
          [&](int group, int i) -> auto& { return scores[group].c[n + i]; }, a, b);
    }
  }
}

/// Makes fragment a of columns [8 n, 8 n + kDepth) of scores. In tf32, column 2t is used as column
/// t and 2t + 1 as t + 4; load_crossed() reads the rows of y in that order.
template <class T, int N>
__device__ __forceinline__ void fragment_of(FragmentA<T>& a, const Scores<N>& s, int n) {
  if constexpr (sizeof(T) == 2) {
#pragma unroll
    for (int i = 0; i < 4; ++i) {
      const float(&c)[4] = s.c[n + i / 2];
      if constexpr (kInParts<T>) {
        float x = c[i % 2 * 2];
        float y = c[i % 2 * 2 + 1];
#pragma unroll
        for (int part = 0; part < kFloatParts; ++part) a.part[part][i] = take_part(x, y);
      } else {
        a.part[0][i] = ptx::pack(c[i % 2 * 2], c[i % 2 * 2 + 1]);
      }
    }
  } else {
    a.part[0][0] = to_tf32(s.c[n][0]);
    a.part[0][1] = to_tf32(s.c[n][2]);
    a.part[0][2] = to_tf32(s.c[n][1]);
    a.part[0][3] = to_tf32(s.c[n][3]);
  }
}

/// Loads fragments b of rows [row, row + kDepth) and of 16 columns starting at `column`, for two
/// products. In tf32 the first gets the even columns, the second the odd ones.
template <class T, int K, int kRows>
__device__ __forceinline__ void load_crossed(std::uint32_t (&b)[4], const Tile<T, K, kRows>& y,
                                             int row, int column, int part) {
  const int lane = lane_number();
  if constexpr (sizeof(T) == 2) {
    ptx::load_blocks_transposed(b, y.at(row + lane % 16, column + lane / 16 * 8, part));
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

/// sum(16 kGroups, K) += s y, where s has N columns and y is rows [first, first + N) of a tile.
/// fragment(a, group, n) makes fragment a of columns [8 n, 8 n + kDepth) of s.
template <int N, class T, int K, int kGroups, int kRows, class Fragment>
__device__ __forceinline__ void multiply_add(float (&sum)[kGroups][K / 8][4],
                                             const Tile<T, K, kRows>& y, int first,
                                             const Fragment& fragment) {
#pragma unroll
  for (int n = 0; n < N / 8; n += kDepth<T> / 8) {
    FragmentA<T> a[kGroups];
#pragma unroll
    for (int group = 0; group < kGroups; ++group) fragment(a[group], group, n);
#pragma unroll
    for (int column = 0; column < K / 8; column += 2) {
      FragmentB<T> b[2];
      load_fragments<T>(b, [&](std::uint32_t(&r)[4], int part) {
        load_crossed(r, y, first + 8 * n, 8 * column, part);
      });
      multiply<T>(
          [&](int group, int i) -> auto& { return sum[group][column + i]; }, a, b);
    }
  }
}

/// Stores two adjacent elements.
__device__ __forceinline__ void store_pair(BFloat16* to, float x, float y) {
  *reinterpret_cast<std::uint32_t*>(to) = ptx::pack(x, y);
}
__device__ __forceinline__ void store_pair(float* to, float x, float y) {
  *reinterpret_cast<float2*>(to) = make_float2(x, y);
}

/// Stores row g + 8 half of a group's sum (of products in T) times a factor; columns from `columns`
/// on are skipped.
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

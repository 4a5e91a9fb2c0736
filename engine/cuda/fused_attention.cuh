// Shared parts of the tiled attention kernels. Grid: (tiles of rows, heads, samples).
#pragma once

#include <string>
#include <type_traits>

#include "engine/cuda/fused_attention.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"
#include "engine/cuda/tile_products.cuh"
#include "engine/error.h"

namespace cdt {

constexpr float kLog2E = 1.4426950408889634F;
constexpr float kLn2 = 0.6931471805599453F;

template <class T>
constexpr bool kNarrow = std::is_same_v<T, BFloat16>;

/// How a kernel tiles its work: 16 kGroups rows per warp, kOthers rows of the other side per tile,
/// and kStages tiles in shared memory, of which one is read while the others are being loaded.
template <class T, int K, int kGroupsOfWarp>
struct Cutting {
  static constexpr int kGroups = kGroupsOfWarp;
  static constexpr int kRows = kTileThreads / 32 * 16 * kGroups;
  static constexpr int kOthers = kNarrow<T> ? 64 : 32;
  static constexpr int kStages = kNarrow<T> ? 3 : 2;
  using Rows = Tile<T, K, kRows>;
  using Others = Tile<T, K, kOthers>;
};

/// Addresses within the pipeline stages in shared memory, at the offsets that Cut defines:
/// consecutive stages starting at kStagesAt, each beginning with its tiles of rows of the other
/// side.
template <class T, class Cut>
struct Stages {
  char* shared;  // the block's shared memory

  __device__ __forceinline__ char* stage(int i) const {
    return shared + Cut::kStagesAt + i * Cut::kStageBytes;
  }
  __device__ __forceinline__ typename Cut::Others others(int i, int which = 0) const {
    return {reinterpret_cast<T*>(stage(i) + which * Cut::Others::kBytes)};
  }
  __device__ __forceinline__ float2* sums(int i) const {
    return reinterpret_cast<float2*>(stage(i) + Cut::kSumsAt);
  }
  __device__ __forceinline__ uint2* kept(int i) const {
    return reinterpret_cast<uint2*>(stage(i) + Cut::kKeptAt);
  }
};

/// Address of element 0 of row 0 of this block's head, first part.
template <class T>
__device__ __forceinline__ T* head_of(const FusedView<T>& view, int head_dim, int sample) {
  return view.data + sample * view.batch_stride + std::int64_t{blockIdx.y} * (kParts<T> * head_dim);
}

/// Index of this block's head among the heads of all samples.
template <class T>
__device__ __forceinline__ int head_number(const FusedAttention<T>& a, int sample) {
  return sample * a.heads + static_cast<int>(blockIdx.y);
}

template <class T>
__device__ __forceinline__ float* sums_of_head(const FusedAttention<T>& a, int sample) {
  return a.log_sum_exp + sample * a.sums_stride + std::int64_t{blockIdx.y} * a.queries;
}

/// Loops over tiles with copies running kStages - 1 tiles ahead. load(j, stage) starts to load tile
/// j, use(j, stage) processes it once loaded, and before() runs once the copies that the caller had
/// already started have arrived.
template <int kStages, class Load, class Before, class Use>
__device__ __forceinline__ void pipeline(int tiles, const Load& load, const Before& before,
                                         const Use& use) {
  ptx::close_copies();
#pragma unroll
  for (int j = 0; j < kStages - 1; ++j) {
    if (j < tiles) load(j, j);
    ptx::close_copies();
  }
  ptx::wait_copies<kStages - 1>();
  __syncthreads();
  before();
  int stage = 0;
  for (int j = 0; j < tiles; ++j) {
    ptx::wait_copies<kStages - 2>();
    __syncthreads();
    if (j + kStages - 1 < tiles) load(j + kStages - 1, stage == 0 ? kStages - 1 : stage - 1);
    ptx::close_copies();
    use(j, stage);
    stage = stage + 1 == kStages ? 0 : stage + 1;
  }
}

/// Sets the scores of columns past the last key (`keys` and beyond) to minus infinity.
template <int N, int kGroups>
__device__ __forceinline__ void hide_columns(Scores<N> (&s)[kGroups], int keys) {
  const int column = lane_number() % 4 * 2;
#pragma unroll
  for (auto& group : s) {
#pragma unroll
    for (int n = 0; n < N / 8; ++n) {
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        if (8 * n + column + c % 2 >= keys) group.c[n][c] = -infinity();
      }
    }
  }
}

/// Turns scores into probabilities. sums(n, c): row_sums of the query of element c of fragment n.
template <int N, class Sums>
__device__ __forceinline__ void probabilities(Scores<N>* s, float scale, const Sums& sums) {
#pragma unroll
  for (int n = 0; n < N / 8; ++n) {
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      s->c[n][c] = ptx::exp2(fmaf(s->c[n][c], scale, -sums(n, c).x));
    }
  }
}

/// Returns the column (or row) whose bit is at position `bit` of a word for 32 of them. Column c,
/// with n = c / 8 and c % 8 = 2t + e, has its bit in byte 2 (n % 2) + e, at position 7 - (2t + n /
/// 2). So after a left shift by 2t, and 1 more for n = 2 and 3, thread t finds its four columns of
/// two fragments c in the sign bits of the bytes.
__host__ __device__ constexpr int place_of_bit(int bit) {
  const int byte = bit / 8;
  const int shift = 7 - bit % 8;  // 2t + n / 2
  return 8 * (shift % 2 * 2 + byte / 2) + shift / 2 * 2 + byte % 2;
}

/// The mask words of rows g and g + 8 of a group, shifted for this thread.
struct KeptRows {
  uint2 half[2];

  /// Loads the words for fragments starting at `column`, a multiple of 16.
  __device__ __forceinline__ void load(const uint2* words, int row, int column) {
    const int lane = lane_number();
    const int shift = lane % 4 * 2;
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const uint2 w = words[row + lane / 4 + 8 * i];
      half[i].x = (column / 32 % 2 == 0 ? w.x : w.y) << (shift + column / 16 % 2);
      half[i].y = w.y << shift;
    }
  }
  /// Loads the words if there is a mask; otherwise everything is kept.
  __device__ __forceinline__ void load_if(bool masked, const uint2* words, int row, int column) {
    if (masked) {
      load(words, row, column);
    } else {
      half[0] = half[1] = make_uint2(~0U, ~0U);
    }
  }

  /// Returns the word shifted so that fragment c number n is in the sign bits.
  __device__ __forceinline__ std::uint32_t word(int i, int n) const {
    return (n / 4 == 0 ? half[i].x : half[i].y) << (n % 4 / 2);
  }
  /// All ones where element c of fragment n is kept, else 0.
  __device__ __forceinline__ std::uint32_t element(int n, int c) const {
    const std::uint32_t w = word(c / 2, n);
    if (n % 2 == 0) {
      return c % 2 == 0 ? ptx::spread_signs<0x8888>(w) : ptx::spread_signs<0x9999>(w);
    }
    return c % 2 == 0 ? ptx::spread_signs<0xAAAA>(w) : ptx::spread_signs<0xBBBB>(w);
  }
  /// Zeroes the dropped elements of fragment a of columns [8 n, 8 n + kDepth).
  template <class T>
  __device__ __forceinline__ void apply(FragmentA<T>& a, int n) const {
    if constexpr (sizeof(T) == 2) {
#pragma unroll
      for (int i = 0; i < 2; ++i) {
        const std::uint32_t low = ptx::spread_signs<0x9988>(word(i, n));
        const std::uint32_t high = ptx::spread_signs<0xBBAA>(word(i, n));
#pragma unroll
        for (auto& part : a.part) {
          part[i] &= low;
          part[i + 2] &= high;
        }
      }
    } else {
#pragma unroll
      for (int i = 0; i < 4; ++i) a.part[0][i] &= element(n, i % 2 * 2 + i / 2);
    }
  }
};

/// Starts to load the tile's mask words of the kRows rows starting at `first`; each `thread` below
/// kRows / 2 loads two.
template <int kRows>
__device__ __forceinline__ void load_kept_later(const KeptBits& kept, int head, int tile, int first,
                                                int thread, uint2* to) {
  const int i = thread * 2;
  if (i >= kRows) return;
  const std::int64_t row = std::int64_t{head * kept.tiles + tile} * kept.padded + first + i;
  ptx::copy_later(to + i, kept.words + row, false);
}

/// Starts to load the sums of kCount queries starting at `first`; 0 past the last query.
template <int kCount, class T>
__device__ __forceinline__ void load_sums_later(const FusedAttentionBackward<T>& b, int head,
                                                int first, float2* to) {
  const int i = static_cast<int>(threadIdx.x);
  if (kCount < kTileThreads && i >= kCount) return;
  ptx::copy_later<sizeof(float2)>(to + i,
                                  b.row_sums + std::int64_t{head} * b.forward.queries + first + i,
                                  first + i >= b.forward.queries);
}

/// One block per tile of rows, head and sample.
template <class T>
dim3 tile_grid(const FusedAttention<T>& a, int rows, int rows_of_block, int samples) {
  return {blocks_for(rows, rows_of_block), static_cast<unsigned>(a.heads),
          static_cast<unsigned>(samples)};
}

/// Widest supported head; split into parts, tiles of wider heads do not fit into shared memory.
template <class T>
constexpr int kWidestHead = kInParts<T> ? 96 : 128;

/// Calls body(std::integral_constant<int, K>) with the K whose kernels handle heads of head_dim;
/// returns false if there is none.
template <class T, class Body>
bool with_head_dim(std::int64_t head_dim, const Body& body) {
  if (head_dim <= 0 || head_dim % 8 != 0 || head_dim > kWidestHead<T>) return false;
  if (head_dim <= 32) {
    body(std::integral_constant<int, 32>{});
  } else if (head_dim <= 64) {
    body(std::integral_constant<int, 64>{});
  } else if (head_dim <= 96) {
    body(std::integral_constant<int, 96>{});
  } else if constexpr (kWidestHead<T> == 128) {
    body(std::integral_constant<int, 128>{});
  }
  return true;
}

/// As with_head_dim(), but throws Error if there is no such K.
template <class T, class Body>
void launch_for_heads(std::int64_t head_dim, const Body& body) {
  CDT_CHECK(with_head_dim<T>(head_dim, body),
            "no fused attention for heads of " + std::to_string(head_dim));
}

}  // namespace cdt

// Backward, with P the probabilities, m the mask over 1 - p and D_i = dout_i . out_i:
//   dv = (P m)^T dout     dS = P (m (dout v^T) - D)     dq = dS k scale     dk = dS^T q scale
// One kernel's blocks own 64 queries and sum dq over the keys; the other's own 64 keys and sum dk
// and dv over the queries, with scores transposed, keys as rows.
#include <string>

#include "engine/cuda/fused_attention.cuh"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr int kTiles = 2 + 2 * 2;  // two that stay, two for each stage

/// Of the tile of queries in a stage: log-sum-exp in units of log2 and D.
struct QuerySums {
  float log2_sum[kTileRows], dots[kTileRows];
};

template <int K>
constexpr std::size_t query_gradient_shared() {
  return std::size_t{kTiles} * Tile<K>::kElements * sizeof(BFloat16);
}
template <int K>
constexpr std::size_t key_gradient_shared() {
  return query_gradient_shared<K>() + 2 * (sizeof(QuerySums) + kTileRows * sizeof(uint2));
}

/// From scores s and d = m (dout v^T), both (queries, keys): s becomes the gradient of the scores.
__device__ __forceinline__ void score_gradients(Scores* s, const Scores& d, float scale,
                                                const float (&log2_sum)[2], const float (&dots)[2],
                                                int keys) {
  const int column = static_cast<int>(threadIdx.x % 4) * 2;
#pragma unroll
  for (int n = 0; n < kTileColumns; ++n) {
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      float& x = s->c[n][c];
      const float p = exp2f(x * (scale * kLog2E) - log2_sum[c / 2]);
      x = 8 * n + column + c % 2 < keys ? p * (d.c[n][c] - dots[c / 2]) : 0.0F;
    }
  }
}

template <int K>
__global__ void __launch_bounds__(kTileThreads, 2) query_gradient_kernel(FusedAttentionBackward b) {
  const FusedAttention& a = b.forward;
  CDT_DYNAMIC_SHARED(BFloat16, shared);
  const auto tile = [&](int i) { return Tile<K>{shared + i * Tile<K>::kElements}; };
  const Tile<K> q = tile(0);
  const Tile<K> dout = tile(1);
  const int first = static_cast<int>(blockIdx.x) * kTileRows;
  const int row = static_cast<int>(threadIdx.x / 32) * 16;
  const int i = first + row + static_cast<int>(threadIdx.x % 32) / 4;
  const std::int64_t number[2] = {query_number(a, i), query_number(a, i + 8)};
  float log2_sum[2] = {0.0F, 0.0F};
  float dots[2] = {0.0F, 0.0F};
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    if (i + 8 * half >= a.queries) continue;
    log2_sum[half] = sums_of_head(a)[i + 8 * half] * kLog2E;
    dots[half] = b.dots[number[half]];
  }
  float dq[K / 8][4] = {};
  load_pair(q, a.q, dout, b.dout, first, a.queries);
  pipeline((a.keys + kTileRows - 1) / kTileRows,
           [&](int j) {
             const int stage = 2 + 2 * (j % 2);
             load_pair(tile(stage), a.k, tile(stage + 1), a.v, j * kTileRows, a.keys);
           },
           [&](int j) {
             const int stage = 2 + 2 * (j % 2);
             Scores s;
             Scores d;
             multiply_transposed(&s, q, row, tile(stage));
             multiply_transposed(&d, dout, row, tile(stage + 1));
             if (a.mask.threshold != 0) {
               for_kept(a.mask, number, j, [&](int n, int c, bool kept) {
                 d.c[n][c] = kept ? d.c[n][c] * a.mask.scale : 0.0F;
               });
             }
             score_gradients(&s, d, a.scale, log2_sum, dots, a.keys - j * kTileRows);
             multiply_add<K>(dq, s, tile(stage));
           });
  const float factor[2] = {a.scale, a.scale};
  store_rows<K>(head_row<K>(b.dq, first), b.dq.row_stride, row, a.queries - first, dq, factor);
}

/// Of the 64 queries from `first` on; where there is none, no probability.
__device__ __forceinline__ void load_sums(const FusedAttentionBackward& b, int first,
                                          QuerySums* sums) {
  const int i = static_cast<int>(threadIdx.x);
  if (i >= kTileRows) return;
  const FusedAttention& a = b.forward;
  const bool inside = first + i < a.queries;
  sums->log2_sum[i] = inside ? sums_of_head(a)[first + i] * kLog2E : infinity();
  sums->dots[i] = inside ? b.dots[query_number(a, first + i)] : 0.0F;
}

/// Bit c of kept[i]: is key 64 tile + c kept for query `first` + i? Each warp fills 16 queries, two
/// at a time: the 16 quads of a row are those of half a warp.
__device__ __forceinline__ void draw_kept(const FusedAttention& a, int first, int tile,
                                          uint2* kept) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const int row = static_cast<int>(threadIdx.x / 32) * 16;
  const auto quad = static_cast<std::uint32_t>(16 * tile + lane % 16);
  for (int pair = 0; pair < 16; pair += 2) {
    const int i = row + pair + lane / 16;
    const auto number = static_cast<std::uint32_t>(query_number(a, first + i));
    const uint4 draw =
        philox(make_uint4(quad, number, a.mask.site, *a.mask.step), a.mask.key0, a.mask.key1);
    const unsigned w0 = __ballot_sync(0xFFFFFFFFU, draw.x >= a.mask.threshold ? 1 : 0);
    const unsigned w1 = __ballot_sync(0xFFFFFFFFU, draw.y >= a.mask.threshold ? 1 : 0);
    const unsigned w2 = __ballot_sync(0xFFFFFFFFU, draw.z >= a.mask.threshold ? 1 : 0);
    const unsigned w3 = __ballot_sync(0xFFFFFFFFU, draw.w >= a.mask.threshold ? 1 : 0);
    if (lane == 0) kept[i] = make_uint2((w0 & 0xFFFFU) | (w1 << 16U), (w2 & 0xFFFFU) | (w3 << 16U));
    if (lane == 16)
      kept[i] = make_uint2((w0 >> 16U) | (w1 & 0xFFFF0000U), (w2 >> 16U) | (w3 & 0xFFFF0000U));
  }
}

/// From scores s and d = v dout^T, both (keys, queries): s becomes the masked probabilities, not
/// yet over 1 - p, and d the gradient of the scores.
__device__ __forceinline__ void transposed_gradients(Scores* s, Scores* d, const FusedAttention& a,
                                                     const QuerySums& sums, const uint2* kept,
                                                     int key) {
  const int column = static_cast<int>(threadIdx.x % 4) * 2;
#pragma unroll
  for (int n = 0; n < kTileColumns; ++n) {
#pragma unroll
    for (int e = 0; e < 2; ++e) {
      const int i = 8 * n + column + e;
      const float log2_sum = sums.log2_sum[i];
      const float dot = sums.dots[i];
      const uint2 bits = a.mask.threshold != 0 ? kept[i] : make_uint2(~0U, ~0U);
      const unsigned word = key < 32 ? bits.x : bits.y;  // key + 8 lies in the same word
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        float& x = s->c[n][2 * half + e];
        float& y = d->c[n][2 * half + e];
        const float p = exp2f(x * (a.scale * kLog2E) - log2_sum);
        const bool keep = (word >> static_cast<unsigned>(key % 32 + 8 * half) & 1U) != 0;
        x = keep ? p : 0.0F;
        y = p * ((keep ? y * a.mask.scale : 0.0F) - dot);
      }
    }
  }
}

template <int K>
__global__ void __launch_bounds__(kTileThreads, 2) key_gradient_kernel(FusedAttentionBackward b) {
  const FusedAttention& a = b.forward;
  CDT_DYNAMIC_SHARED(BFloat16, shared);
  const auto tile = [&](int i) { return Tile<K>{shared + i * Tile<K>::kElements}; };
  auto* const sums = reinterpret_cast<QuerySums*>(shared + kTiles * Tile<K>::kElements);
  auto* const kept = reinterpret_cast<uint2*>(sums + 2);
  const Tile<K> k = tile(0);
  const Tile<K> v = tile(1);
  const int first = static_cast<int>(blockIdx.x) * kTileRows;
  const int row = static_cast<int>(threadIdx.x / 32) * 16;
  float dk[K / 8][4] = {};
  float dv[K / 8][4] = {};
  load_pair(k, a.k, v, a.v, first, a.keys);
  pipeline((a.queries + kTileRows - 1) / kTileRows,
           [&](int j) {
             const int stage = 2 + 2 * (j % 2);
             load_pair(tile(stage), a.q, tile(stage + 1), b.dout, j * kTileRows, a.queries);
             load_sums(b, j * kTileRows, &sums[j % 2]);
             if (a.mask.threshold != 0) {
               draw_kept(a, j * kTileRows, static_cast<int>(blockIdx.x), kept + j % 2 * kTileRows);
             }
           },
           [&](int j) {
             const int stage = 2 + 2 * (j % 2);
             Scores s;
             Scores d;
             multiply_transposed(&s, k, row, tile(stage));
             multiply_transposed(&d, v, row, tile(stage + 1));
             transposed_gradients(&s, &d, a, sums[j % 2], kept + j % 2 * kTileRows,
                                  row + static_cast<int>(threadIdx.x % 32) / 4);
             multiply_add<K>(dv, s, tile(stage + 1));
             multiply_add<K>(dk, d, tile(stage));
           });
  const int left = a.keys - first;
  const float factor_k[2] = {a.scale, a.scale};
  const float factor_v[2] = {a.mask.scale, a.mask.scale};
  if (b.dk.data != nullptr) {
    store_rows<K>(head_row<K>(b.dk, first), b.dk.row_stride, row, left, dk, factor_k);
  }
  if (b.dv.data != nullptr) {
    store_rows<K>(head_row<K>(b.dv, first), b.dv.row_stride, row, left, dv, factor_v);
  }
}

}  // namespace

std::size_t fused_attention_shared(std::int64_t head_dim) {
  std::size_t bytes = 0;
  with_head_dim(head_dim, [&](auto k) { bytes = key_gradient_shared<k()>(); });
  return bytes;
}

void fused_attention_backward(cudaStream_t stream, const FusedAttentionBackward& b,
                              std::int64_t head_dim) {
  const FusedAttention& a = b.forward;
  const bool launched = with_head_dim(head_dim, [&](auto k) {
    if (b.dq.data != nullptr) {
      launch_shared(stream, query_gradient_kernel<k()>, tile_grid(a, a.queries), kTileThreads,
                    query_gradient_shared<k()>(), b);
    }
    if (b.dk.data != nullptr || b.dv.data != nullptr) {
      launch_shared(stream, key_gradient_kernel<k()>, tile_grid(a, a.keys), kTileThreads,
                    key_gradient_shared<k()>(), b);
    }
  });
  CDT_CHECK(launched, "no fused attention for heads of " + std::to_string(head_dim));
}

}  // namespace cdt

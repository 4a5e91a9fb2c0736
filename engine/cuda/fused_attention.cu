// Forward: a block owns 64 queries of one head and goes through the keys, 64 at a time, with the
// maximum so far (Milakov & Gimelshein 2018); what was summed is scaled when the maximum grows.
#include <string>

#include "engine/cuda/fused_attention.cuh"
#include "engine/error.h"

namespace cdt {
namespace {

template <int K>
constexpr std::size_t forward_shared() {  // queries; keys and values of two stages
  return std::size_t{5} * Tile<K>::kElements * sizeof(BFloat16);
}

/// The two rows of a thread: g and g + 8 of its warp's 16.
struct RunningRows {
  float max[2], sum[2];  // in units of log2; sum of this thread's columns
};

/// scores = 2^(scale * scores - max), keys from `keys` on 0. Returns in `shrink` the factors of
/// what was summed so far.
__device__ __forceinline__ void exponentials(Scores* s, RunningRows* rows, float scale, int keys,
                                             float (&shrink)[2]) {
  const int column = static_cast<int>(threadIdx.x % 4) * 2;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float high = rows->max[half];
#pragma unroll
    for (int n = 0; n < kTileColumns; ++n) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        float& x = s->c[n][2 * half + e];
        x = 8 * n + column + e < keys ? x * scale : -infinity();
        high = Max{}(high, x);
      }
    }
    high = Max{}(high, __shfl_xor_sync(0xFFFFFFFFU, high, 1));
    high = Max{}(high, __shfl_xor_sync(0xFFFFFFFFU, high, 2));
    shrink[half] = exp2f(rows->max[half] - high);
    rows->max[half] = high;
    float sum = 0.0F;
#pragma unroll
    for (int n = 0; n < kTileColumns; ++n) {
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        float& x = s->c[n][2 * half + e];
        x = exp2f(x - high);
        sum += x;
      }
    }
    rows->sum[half] = rows->sum[half] * shrink[half] + sum;
  }
}

template <int K>
__global__ void __launch_bounds__(kTileThreads) forward_kernel(FusedAttention a) {
  CDT_DYNAMIC_SHARED(BFloat16, shared);
  const auto tile = [&](int i) { return Tile<K>{shared + i * Tile<K>::kElements}; };
  const Tile<K> q = tile(0);
  const int first = static_cast<int>(blockIdx.x) * kTileRows;
  const int row = static_cast<int>(threadIdx.x / 32) * 16;
  const int i = first + row + static_cast<int>(threadIdx.x % 32) / 4;
  const std::int64_t number[2] = {query_number(a, i), query_number(a, i + 8)};
  RunningRows rows{{-infinity(), -infinity()}, {0.0F, 0.0F}};
  float out[K / 8][4] = {};
  q.load_later(head_row<K>(a.q, first), a.q.row_stride, a.queries - first);
  pipeline((a.keys + kTileRows - 1) / kTileRows,
           [&](int j) {
             const int stage = 1 + 2 * (j % 2);
             load_pair(tile(stage), a.k, tile(stage + 1), a.v, j * kTileRows, a.keys);
           },
           [&](int j) {
             const int stage = 1 + 2 * (j % 2);
             Scores s;
             float shrink[2];
             multiply_transposed(&s, q, row, tile(stage));
             exponentials(&s, &rows, a.scale * kLog2E, a.keys - j * kTileRows, shrink);
             if (a.mask.threshold != 0) {
               for_kept(a.mask, number, j, [&](int n, int c, bool kept) {
                 if (!kept) s.c[n][c] = 0.0F;
               });
             }
             scale_rows<K>(out, shrink);
             multiply_add<K>(out, s, tile(stage + 1));
           });

  float factor[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float sum = rows.sum[half];
    sum += __shfl_xor_sync(0xFFFFFFFFU, sum, 1);
    sum += __shfl_xor_sync(0xFFFFFFFFU, sum, 2);
    factor[half] = a.mask.scale / sum;
    if (threadIdx.x % 4 == 0 && i + 8 * half < a.queries) {
      sums_of_head(a)[i + 8 * half] = rows.max[half] * kLn2 + logf(sum);
    }
  }
  store_rows<K>(head_row<K>(a.out, first), a.out.row_stride, row, a.queries - first, out, factor);
}

}  // namespace

void fused_attention(cudaStream_t stream, const FusedAttention& a, std::int64_t head_dim) {
  const bool launched = with_head_dim(head_dim, [&](auto k) {
    launch_shared(stream, forward_kernel<k()>, tile_grid(a, a.queries), kTileThreads,
                  forward_shared<k()>(), a);
  });
  CDT_CHECK(launched, "no fused attention for heads of " + std::to_string(head_dim));
}

}  // namespace cdt

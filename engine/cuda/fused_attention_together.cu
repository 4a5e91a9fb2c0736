// Attention whose queries, keys and values the batch shares, with a mask for each sample
// (self-attention of constants under dropout): the scores of a tile are formed once for all
// samples. Log-sum-exp is there before. A warp is a sample; the warps of a block form the
// probabilities of 32 queries together.
#include "engine/cuda/fused_attention.cuh"

namespace cdt {
namespace {

constexpr int kSamples = 8;  // of a block, forward: a warp each
constexpr int kMixThreads = 32 * kSamples;

template <class T, int K>
struct Mix {
  static constexpr bool kNarrow = sizeof(T) == 2;
  static constexpr int kGroups = 2;
  static constexpr int kRows = 16 * kGroups;  // queries of a block
  static constexpr int kKeys = 8 * kSamples;  // of a tile; a warp scores 8
  static constexpr int kStages = kNarrow ? 3 : 2;
  static constexpr int kShareStride = kKeys + 8;  // of probabilities; rows in different banks
  using Rows = Tile<T, K, kRows>;
  using Keys = Tile<T, K, kKeys>;
  static constexpr int kKeptAt = 2 * Keys::kBytes;
  static constexpr int kStageBytes = kKeptAt + kSamples * kRows * int{sizeof(uint2)};
  static constexpr int kSharesAt = Rows::kBytes;
  static constexpr int kStagesAt = kSharesAt + kRows * kShareStride * int{sizeof(T)};
  static constexpr int kBytes = kStagesAt + kStages * kStageBytes;
};

/// Scores of a warp's groups of 16 rows against 8 rows of y from `first` on.
template <class T, int K, int kGroups, class Rows, int kRows>
__device__ __forceinline__ void multiply_by_eight(float (&scores)[kGroups][4], const Rows& x,
                                                  const Tile<T, K, kRows>& y, int first) {
  const int lane = lane_number();
#pragma unroll
  for (auto& c : scores) c[0] = c[1] = c[2] = c[3] = 0.0F;
#pragma unroll
  for (int k = 0; k < K; k += 2 * kDepth<T>) {
    std::uint32_t b[4];
    ptx::load_blocks(b, y.at(first + lane % 8, k + lane / 8 * kPiece<T>));
    make_ready<T>(b);
#pragma unroll
    for (int step = 0; step < 2; ++step) {
#pragma unroll
      for (int group = 0; group < kGroups; ++group) {
        std::uint32_t a[4];
        x.get(a, group, k + step * kDepth<T>);
        multiply<T>(scores[group], a, b[2 * step], b[2 * step + 1]);
      }
    }
  }
}

/// What a product is to read: float32 made ready for tf32.
template <class T>
__device__ __forceinline__ float ready(float x) {
  return sizeof(T) == 4 ? __uint_as_float(to_tf32(x)) : x;
}

/// Fragment a of rows [row, row + 16) and columns from `column` on of stored probabilities.
template <int kStride>
__device__ __forceinline__ void load_shares(std::uint32_t (&a)[4], const BFloat16* shares, int row,
                                            int column) {
  const int lane = lane_number();
  ptx::load_blocks(a, shares + (row + lane % 16) * kStride + column + lane / 16 * 8);
}
template <int kStride>
__device__ __forceinline__ void load_shares(std::uint32_t (&a)[4], const float* shares, int row,
                                            int column) {
  const int lane = lane_number();
#pragma unroll
  for (int half = 0; half < 2; ++half) {  // in the order of load_crossed()
    const uint2 pair = *reinterpret_cast<const uint2*>(
        shares + (row + lane / 4 + 8 * half) * kStride + column + lane % 4 * 2);
    a[half] = pair.x;
    a[half + 2] = pair.y;
  }
}

template <class T, int K>
__global__ void __launch_bounds__(kMixThreads, 1) mix_kernel(FusedAttention<T> a) {
  using Cut = Mix<T, K>;
  CDT_DYNAMIC_SHARED(char, shared);
  const int first = static_cast<int>(blockIdx.x) * Cut::kRows;
  const int first_sample = static_cast<int>(blockIdx.z) * kSamples;
  const int warp = warp_number();
  const int lane = lane_number();
  const bool active = first_sample + warp < a.batch;
  const auto stage_at = [&](int i) { return shared + Cut::kStagesAt + i * Cut::kStageBytes; };
  const auto keys_at = [&](int i, int which) {
    return typename Cut::Keys{reinterpret_cast<T*>(stage_at(i) + which * Cut::Keys::kBytes)};
  };
  const auto kept_at = [&](int i) { return reinterpret_cast<uint2*>(stage_at(i) + Cut::kKeptAt); };
  auto* const shares = reinterpret_cast<T*>(shared + Cut::kSharesAt);
  const typename Cut::Rows tile{reinterpret_cast<T*>(shared)};
  const RowsInShared<T, K, Cut::kGroups, Cut::kRows> queries(tile, 0);
  const RowSource<T, K, kMixThreads> keys(head_of(a.k, a.head_dim, 0), a.k.row_stride, a.head_dim);
  const RowSource<T, K, kMixThreads> values(head_of(a.v, a.head_dim, 0), a.v.row_stride,
                                            a.head_dim);
  const float* const sums = sums_of_head(a, 0);
  float shift[Cut::kGroups][2];
#pragma unroll
  for (int group = 0; group < Cut::kGroups; ++group) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int i = first + 16 * group + 8 * half + lane / 4;
      shift[group][half] = i < a.queries ? sums[i] * kLog2E : 0.0F;
    }
  }
  const float scale = a.scale * kLog2E;
  float out[Cut::kGroups][K / 8][4] = {};
  RowSource<T, K, kMixThreads>(head_of(a.q, a.head_dim, 0), a.q.row_stride, a.head_dim)
      .load_later(tile, first, a.queries);
  pipeline<Cut::kStages>(
      (a.keys + Cut::kKeys - 1) / Cut::kKeys,
      [&](int j, int stage) {
        keys.load_later(keys_at(stage, 0), j * Cut::kKeys, a.keys);
        values.load_later(keys_at(stage, 1), j * Cut::kKeys, a.keys);
        if (!active) return;
        load_kept_later<Cut::kRows>(a.kept, head_number(a, first_sample + warp), j, first, lane,
                                    kept_at(stage) + warp * Cut::kRows);
      },
      [] {},
      [&](int j, int stage) {
        float s[Cut::kGroups][4];
        multiply_by_eight<T, K>(s, queries, keys_at(stage, 0), 8 * warp);
        const int column = 8 * warp + lane % 4 * 2;
#pragma unroll
        for (int group = 0; group < Cut::kGroups; ++group) {
#pragma unroll
          for (int half = 0; half < 2; ++half) {
            float p[2];
#pragma unroll
            for (int e = 0; e < 2; ++e) {
              const bool inside = j * Cut::kKeys + column + e < a.keys;
              p[e] = inside ? ptx::exp2(fmaf(s[group][2 * half + e], scale, -shift[group][half]))
                            : 0.0F;
            }
            const int row = 16 * group + 8 * half + lane / 4;
            store_pair(shares + row * Cut::kShareStride + column, ready<T>(p[0]), ready<T>(p[1]));
          }
        }
        __syncthreads();
        if (!active) return;
        KeptRows kept[Cut::kGroups];
#pragma unroll
        for (int group = 0; group < Cut::kGroups; ++group) {
          kept[group].load(kept_at(stage) + warp * Cut::kRows, 16 * group, 0);
        }
        multiply_add<Cut::kKeys>(out, keys_at(stage, 1), 0,
                                 [&](std::uint32_t(&f)[4], int group, int n) {
                                   load_shares<Cut::kShareStride>(f, shares, 16 * group, 8 * n);
                                   kept[group].template apply<T>(f, n);
                                 });
      });
  if (!active) return;
  T* const to = head_of(a.out, a.head_dim, first_sample + warp);
#pragma unroll
  for (int group = 0; group < Cut::kGroups; ++group) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int i = first + 16 * group + 8 * half + lane / 4;
      if (i >= a.queries) continue;
      store_row<T, K>(to + i * a.out.row_stride, out[group], half, a.kept_scale, a.head_dim);
    }
  }
}

}  // namespace

template <class T>
int mix_shared_bytes(std::int64_t head_dim) {
  int bytes = 0;
  with_head_dim(head_dim, [&](auto k) { bytes = Mix<T, k()>::kBytes; });
  return bytes;
}

template <class T>
void attention_together(cudaStream_t stream, const FusedAttention<T>& a) {
  launch_for_heads(a.head_dim, [&](auto k) {
    using Cut = Mix<T, k()>;
    const int groups = static_cast<int>(ceil_div(a.batch, kSamples));
    launch_shared(stream, mix_kernel<T, k()>, tile_grid(a, a.queries, Cut::kRows, groups),
                  kMixThreads, Cut::kBytes, a);
  });
}

#define CDT_INSTANTIATE(T)                        \
  template int mix_shared_bytes<T>(std::int64_t); \
  template void attention_together(cudaStream_t, const FusedAttention<T>&)
CDT_INSTANTIATE(BFloat16);
CDT_INSTANTIATE(float);
#undef CDT_INSTANTIATE

}  // namespace cdt

// Attention whose queries, keys and values the batch shares, with a mask per sample (self-attention
// of constants under dropout): the scores of a tile are computed once for all samples. Log-sum-exp
// must have been computed. One warp per sample; the warps of a block compute the probabilities of
// 32 queries together.
#include "engine/cuda/fused_attention.cuh"

namespace cdt {
namespace {

constexpr int kSamples = 8;  // samples per block in the forward pass, one warp each
constexpr int kMixThreads = 32 * kSamples;

template <class T, int K>
struct Mix {
  static constexpr int kGroups = 2;
  static constexpr int kRows = 16 * kGroups;               // queries per block
  static constexpr int kKeys = 8 * kSamples;               // keys per tile; each warp scores 8
  static constexpr int kStrip = kInParts<T> ? 16 : kKeys;  // keys multiplied at a time
  static constexpr int kStages = kNarrow<T> ? 3 : 2;
  static constexpr int kShareStride = kKeys + 8;  // row stride of probabilities; no bank conflicts
  using Rows = Tile<T, K, kRows>;
  using Others = Tile<T, K, kKeys>;
  static constexpr int kKeptAt = 2 * Others::kBytes;
  static constexpr int kStageBytes = kKeptAt + kSamples * kRows * int{sizeof(uint2)};
  static constexpr int kSharesAt = Rows::kBytes;
  static constexpr int kShares = kRows * kShareStride;  // elements per part
  static constexpr int kStagesAt = kSharesAt + kParts<T> * kShares * int{sizeof(T)};
  static constexpr int kBytes = kStagesAt + kStages * kStageBytes;
};

/// Computes the scores of a warp's groups of 16 rows against 8 rows of y, starting at `first`.
template <class T, int K, int kGroups, class Rows, int kRows>
__device__ __forceinline__ void multiply_by_eight(float (&scores)[kGroups][4], const Rows& x,
                                                  const Tile<T, K, kRows>& y, int first) {
  const int lane = lane_number();
#pragma unroll
  for (auto& c : scores) c[0] = c[1] = c[2] = c[3] = 0.0F;
#pragma unroll(kSteps <T, K, Rows> / 2)
  for (int k = 0; k < K; k += 2 * kDepth<T>) {
    FragmentB<T> b[2];  // for two steps of k
    load_fragments<T>(b, [&](std::uint32_t(&r)[4], int part) {
      ptx::load_blocks(r, y.at(first + lane % 8, k + lane / 8 * kPiece<T>, part));
      make_ready<T>(r);
    });
#pragma unroll
    for (int step = 0; step < 2; ++step) {
      FragmentA<T> a[kGroups];
#pragma unroll
      for (int group = 0; group < kGroups; ++group) x.get(a[group], group, k + step * kDepth<T>);
      const FragmentB<T> of_step[1] = {b[step]};
      multiply<T>(
          [&](int group, int) -> auto& { return scores[group]; }, a, of_step);
    }
  }
}

/// Stores two probabilities in the form the product reads.
template <class T, int K>
__device__ __forceinline__ void store_shares(T* to, float p0, float p1) {
  if constexpr (kInParts<T>) {
#pragma unroll
    for (int part = 0; part < kFloatParts; ++part) {
      *reinterpret_cast<std::uint32_t*>(to + part * Mix<T, K>::kShares) = take_part(p0, p1);
    }
  } else if constexpr (sizeof(T) == 2) {
    store_pair(to, p0, p1);
  } else {
    store_pair(to, __uint_as_float(to_tf32(p0)), __uint_as_float(to_tf32(p1)));
  }
}

/// Loads fragment a of rows [row, row + 16) and the columns starting at `column` from stored
/// probabilities.
template <class T, int K>
__device__ __forceinline__ void load_shares(FragmentA<T>& a, const T* shares, int row, int column) {
  constexpr int kStride = Mix<T, K>::kShareStride;
  const int lane = lane_number();
  if constexpr (sizeof(T) == 2) {
    const T* const from = shares + (row + lane % 16) * kStride + column + lane / 16 * 8;
#pragma unroll
    for (int part = 0; part < kParts<T>; ++part) {
      ptx::load_blocks(a.part[part], from + part * Mix<T, K>::kShares);
    }
  } else {
#pragma unroll
    for (int half = 0; half < 2; ++half) {  // in the order of load_crossed()
      const uint2 pair = *reinterpret_cast<const uint2*>(
          shares + (row + lane / 4 + 8 * half) * kStride + column + lane % 4 * 2);
      a.part[0][half] = pair.x;
      a.part[0][half + 2] = pair.y;
    }
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
  const Stages<T, Cut> at{shared};
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
        keys.load_later(at.others(stage, 0), j * Cut::kKeys, a.keys);
        values.load_later(at.others(stage, 1), j * Cut::kKeys, a.keys);
        if (!active) return;
        load_kept_later<Cut::kRows>(a.kept, head_number(a, first_sample + warp), j, first, lane,
                                    at.kept(stage) + warp * Cut::kRows);
      },
      [] {},
      [&](int j, int stage) {
        float s[Cut::kGroups][4];
        multiply_by_eight<T, K>(s, queries, at.others(stage, 0), 8 * warp);
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
            store_shares<T, K>(shares + row * Cut::kShareStride + column, p[0], p[1]);
          }
        }
        __syncthreads();
        if (!active) return;
#pragma unroll 1
        for (int strip = 0; strip < Cut::kKeys; strip += Cut::kStrip) {
          KeptRows kept[Cut::kGroups];
#pragma unroll
          for (int group = 0; group < Cut::kGroups; ++group) {
            kept[group].load(at.kept(stage) + warp * Cut::kRows, 16 * group, strip);
          }
          multiply_add<Cut::kStrip>(out, at.others(stage, 1), strip,
                                    [&](FragmentA<T>& f, int group, int n) {
                                      load_shares<T, K>(f, shares, 16 * group, strip + 8 * n);
                                      kept[group].template apply<T>(f, n);
                                    });
        }
      });
  if (!active) return;
  Result<T>* const to = head_of(a.out, a.head_dim, first_sample + warp);
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
  with_head_dim<T>(head_dim, [&](auto k) { bytes = Mix<T, k()>::kBytes; });
  return bytes;
}

template <class T>
void attention_together(cudaStream_t stream, const FusedAttention<T>& a) {
  launch_for_heads<T>(a.head_dim, [&](auto k) {
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
CDT_INSTANTIATE(FloatPart);
#undef CDT_INSTANTIATE

}  // namespace cdt

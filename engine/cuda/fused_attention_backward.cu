// Backward, with P the probabilities, m the mask over 1 - p and D_i = dout_i . out_i:
//   dv = (P m)^T dout     dS = P (m (dout v^T) - D)     dq = dS k scale     dk = dS^T q scale
// In one kernel a block owns queries and sums dq over the keys. In the other a block owns keys and
// sums dk and dv over the queries, with scores transposed: keys are rows. A gradient that the batch
// shares is also summed over the samples.
#include "engine/cuda/fused_attention.cuh"

namespace cdt {
namespace {

/// Turns d = dout v^T into the score gradients times (1 - dropout probability); p holds the
/// probabilities.
template <int N, class Sums>
__device__ __forceinline__ void score_gradients(Scores<N>* d, const Scores<N>& p,
                                                const KeptRows& kept, const Sums& sums) {
#pragma unroll
  for (int n = 0; n < N / 8; ++n) {
#pragma unroll
    for (int c = 0; c < 4; ++c) {
      const float share = __uint_as_float(__float_as_uint(p.c[n][c]) & kept.element(n, c));
      d->c[n][c] = fmaf(share, d->c[n][c], -(p.c[n][c] * sums(n, c).y));
    }
  }
}

/// Groups of 16 rows per warp. In tf32, two blocks with one group hide more latency than one with
/// two; in parts, two groups do not fit.
template <class T, int K>
constexpr int kQueryGroups = kNarrow<T>&& K <= 96 ? 2 : 1;

template <class T, int K>
struct QueryGradient : Cutting<T, K, kQueryGroups<T, K>> {
  using Base = Cutting<T, K, kQueryGroups<T, K>>;
  using typename Base::Others;
  using typename Base::Rows;
  static constexpr int kStrip = kNarrow<T> && K > 64 ? 16 : 32;  // keys scored at a time
  static constexpr int kKeptAt = 2 * Others::kBytes;
  static constexpr int kStageBytes = kKeptAt + Base::kRows * int{sizeof(uint2)};
  /// Except in parts, queries move to registers and their tile is reused as the last stage.
  static constexpr bool kInRegisters = !kInParts<T>;
  static constexpr int kOwnSumsAt = (kInRegisters ? 1 : 2) * Rows::kBytes;  // after dout, queries
  static constexpr int kStagesAt = kOwnSumsAt + Base::kRows * int{sizeof(float2)};
  static constexpr int kBytes = kStagesAt + Base::kStages * kStageBytes;
  static_assert(!kInRegisters || Rows::kBytes <= kStageBytes);
  using Queries = RowsOf<T, K, Base::kGroups, Base::kRows, kInRegisters>;
};

template <class T, int K>
__global__ void __launch_bounds__(kTileThreads, 2)
    query_gradient_kernel(FusedAttentionBackward<T> b) {
  using Cut = QueryGradient<T, K>;
  constexpr int kGroups = Cut::kGroups;
  const FusedAttention<T>& a = b.forward;
  CDT_DYNAMIC_SHARED(char, shared);
  const int first = static_cast<int>(blockIdx.x) * Cut::kRows;
  const int thread = static_cast<int>(threadIdx.x);
  const int row = warp_number() * 16 * kGroups;
  const bool active = first + row < a.queries;
  const Stages<T, Cut> at{shared};
  const typename Cut::Rows dout_tile{reinterpret_cast<T*>(shared)};
  const typename Cut::Rows query_tile{reinterpret_cast<T*>(
      Cut::kInRegisters ? at.stage(Cut::kStages - 1) : shared + Cut::Rows::kBytes)};
  typename Cut::Queries queries(query_tile, row);
  const RowsInShared<T, K, kGroups, Cut::kRows> douts(dout_tile, row);
  const float scale = a.scale * kLog2E;
  const int begin = static_cast<int>(blockIdx.z);
  const int end = b.dq.batch_stride == 0 ? a.batch : begin + 1;
  auto* const sums = reinterpret_cast<float2*>(shared + Cut::kOwnSumsAt);
  float dq[kGroups][K / 8][4] = {};
  RowSource<T, K>(head_of(a.q, a.head_dim, begin), a.q.row_stride, a.head_dim)
      .load_later(query_tile, first, a.queries);
  for (int sample = begin; sample < end; ++sample) {
    const RowSource<T, K> keys(head_of(a.k, a.head_dim, sample), a.k.row_stride, a.head_dim);
    const RowSource<T, K> values(head_of(a.v, a.head_dim, sample), a.v.row_stride, a.head_dim);
    const int head = head_number(a, sample);
    if (sample > begin) __syncthreads();  // the previous sample's tiles are no longer read
    RowSource<T, K>(head_of(b.dout, a.head_dim, sample), b.dout.row_stride, a.head_dim)
        .load_later(dout_tile, first, a.queries);
    load_sums_later<Cut::kRows>(b, head, first, sums);
    pipeline<Cut::kStages>(
        (a.keys + Cut::kOthers - 1) / Cut::kOthers,
        [&](int j, int stage) {
          keys.load_later(at.others(stage, 0), j * Cut::kOthers, a.keys);
          values.load_later(at.others(stage, 1), j * Cut::kOthers, a.keys);
          if (a.kept.words == nullptr) return;
          load_kept_later<Cut::kRows>(a.kept, head, j * Cut::kOthers / kKeptColumns, first, thread,
                                      at.kept(stage));
        },
        [&] {
          if (sample == begin) queries.load();
        },
        [&](int j, int stage) {
          if (!active) return;
          const int left = a.keys - j * Cut::kOthers;
#pragma unroll 1
          for (int strip = 0; strip < Cut::kOthers; strip += Cut::kStrip) {
            Scores<Cut::kStrip> s[kGroups];
            Scores<Cut::kStrip> d[kGroups];
            multiply_transposed<T, K>(s, queries, at.others(stage, 0), strip);
            if (left < Cut::kOthers) hide_columns(s, left - strip);
            multiply_transposed<T, K>(d, douts, at.others(stage, 1), strip);
#pragma unroll
            for (int group = 0; group < kGroups; ++group) {
              KeptRows kept;
              kept.load_if(a.kept.words != nullptr, at.kept(stage), row + 16 * group,
                           j * Cut::kOthers + strip);
              const float2* const of_rows = sums + row + 16 * group + lane_number() / 4;
              const auto of_element = [&](int, int c) { return of_rows[c / 2 * 8]; };
              probabilities(&s[group], scale, of_element);
              score_gradients(&d[group], s[group], kept, of_element);
            }
            multiply_add<Cut::kStrip>(
                dq, at.others(stage, 0), strip,
                [&](FragmentA<T>& f, int group, int n) { fragment_of<T>(f, d[group], n); });
          }
        });
  }
  Result<T>* const to = head_of(b.dq, a.head_dim, begin);
#pragma unroll
  for (int group = 0; group < kGroups; ++group) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int i = first + row + 16 * group + 8 * half + lane_number() / 4;
      if (i >= a.queries) continue;
      store_row<T, K>(to + i * b.dq.row_stride, dq[group], half, a.scale * a.kept_scale,
                      a.head_dim);
    }
  }
}

template <class T, int K>
struct KeyGradient : Cutting<T, K, 1> {
  using Base = Cutting<T, K, 1>;
  using typename Base::Others;
  using typename Base::Rows;
  /// Keys and values are in the last stage until they move to registers, if it is large enough.
  static constexpr bool kInStage = kNarrow<T> && K <= 96;
  static constexpr int kStrip = kInParts<T> ? 16
                                : K > 64    ? 32
                                            : Base::kOthers;  // queries scored at a time
  static constexpr int kSumsAt = 2 * Others::kBytes;
  static constexpr int kKeptAt = kSumsAt + Base::kOthers * int{sizeof(float2)};
  static constexpr int kStageBytes = kKeptAt + Base::kRows * int{sizeof(uint2)};
  static constexpr int kStagesAt = kInStage ? 0 : 2 * Rows::kBytes;  // keys and values
  static constexpr int kBytes = kStagesAt + Base::kStages * kStageBytes;
  static_assert(!kInStage || 2 * Rows::kBytes <= kStageBytes);
  using KeyRows = RowsOf<T, K, 1, Base::kRows, !kInParts<T> && (kInStage || K <= 64)>;
  using ValueRows = RowsOf<T, K, 1, Base::kRows, !kInParts<T> && K <= 96>;
};

template <class T, int K>
__global__ void __launch_bounds__(kTileThreads, 2)
    key_gradient_kernel(FusedAttentionBackward<T> b) {
  using Cut = KeyGradient<T, K>;
  const FusedAttention<T>& a = b.forward;
  CDT_DYNAMIC_SHARED(char, shared);
  const int first = static_cast<int>(blockIdx.x) * Cut::kRows;
  const int thread = static_cast<int>(threadIdx.x);
  const int row = warp_number() * 16;
  const bool active = first + row < a.keys;
  const Stages<T, Cut> at{shared};
  char* const own = Cut::kInStage ? at.stage(Cut::kStages - 1) : shared;
  typename Cut::KeyRows keys({reinterpret_cast<T*>(own)}, row);
  typename Cut::ValueRows values({reinterpret_cast<T*>(own + Cut::Rows::kBytes)}, row);
  const float scale = a.scale * kLog2E;
  const int begin = static_cast<int>(blockIdx.z);
  const int end = b.dk.batch_stride == 0 ? a.batch : begin + 1;
  float dk[1][K / 8][4] = {};
  float dv[1][K / 8][4] = {};
  RowSource<T, K>(head_of(a.k, a.head_dim, begin), a.k.row_stride, a.head_dim)
      .load_later(keys.tile, first, a.keys);
  RowSource<T, K>(head_of(a.v, a.head_dim, begin), a.v.row_stride, a.head_dim)
      .load_later(values.tile, first, a.keys);
  for (int sample = begin; sample < end; ++sample) {
    const RowSource<T, K> queries(head_of(a.q, a.head_dim, sample), a.q.row_stride, a.head_dim);
    const RowSource<T, K> douts(head_of(b.dout, a.head_dim, sample), b.dout.row_stride, a.head_dim);
    const int head = head_number(a, sample);
    if (sample > begin) __syncthreads();  // the previous sample's tiles are no longer read
    pipeline<Cut::kStages>(
        (a.queries + Cut::kOthers - 1) / Cut::kOthers,
        [&](int j, int stage) {
          const int from = j * Cut::kOthers;
          queries.load_later(at.others(stage, 0), from, a.queries);
          douts.load_later(at.others(stage, 1), from, a.queries);
          load_sums_later<Cut::kOthers>(b, head, from, at.sums(stage));
          if (b.kept_of_keys.words == nullptr) return;
          load_kept_later<Cut::kRows>(b.kept_of_keys, head, from / kKeptColumns, first, thread,
                                      at.kept(stage));
        },
        [&] {
          if (sample > begin) return;
          keys.load();
          values.load();
        },
        [&](int j, int stage) {
          if (!active) return;
#pragma unroll 1
          for (int strip = 0; strip < Cut::kOthers; strip += Cut::kStrip) {
            Scores<Cut::kStrip> s[1];
            Scores<Cut::kStrip> d[1];
            multiply_transposed<T, K>(s, keys, at.others(stage, 0), strip);
            KeptRows kept;
            kept.load_if(b.kept_of_keys.words != nullptr, at.kept(stage), row,
                         j * Cut::kOthers + strip);
            const float2* const of_query = at.sums(stage) + strip + lane_number() % 4 * 2;
            const auto of_element = [&](int n, int c) { return of_query[8 * n + c % 2]; };
            probabilities(&s[0], scale, of_element);
            multiply_add<Cut::kStrip>(dv, at.others(stage, 1), strip,
                                      [&](FragmentA<T>& f, int, int n) {
                                        fragment_of<T>(f, s[0], n);
                                        kept.template apply<T>(f, n);
                                      });
            multiply_transposed<T, K>(d, values, at.others(stage, 1), strip);
            score_gradients(&d[0], s[0], kept, of_element);
            multiply_add<Cut::kStrip>(
                dk, at.others(stage, 0), strip,
                [&](FragmentA<T>& f, int, int n) { fragment_of<T>(f, d[0], n); });
          }
        });
  }
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int i = first + row + 8 * half + lane_number() / 4;
    if (i >= a.keys) continue;
    store_row<T, K>(head_of(b.dk, a.head_dim, begin) + i * b.dk.row_stride, dk[0], half,
                    a.scale * a.kept_scale, a.head_dim);
    store_row<T, K>(head_of(b.dv, a.head_dim, begin) + i * b.dv.row_stride, dv[0], half,
                    a.kept_scale, a.head_dim);
  }
}

}  // namespace

template <class T>
std::size_t fused_attention_bytes(std::int64_t head_dim) {
  int bytes = 0;
  with_head_dim<T>(head_dim, [&](auto k) {
    bytes = std::max(QueryGradient<T, k()>::kBytes, KeyGradient<T, k()>::kBytes);
  });
  return static_cast<std::size_t>(bytes);
}

template <class T>
void fused_attention_backward(cudaStream_t stream, const FusedAttentionBackward<T>& b) {
  const FusedAttention<T>& a = b.forward;
  const auto samples = [&](const FusedView<Result<T>>& gradient) {
    return gradient.batch_stride == 0 ? 1 : a.batch;
  };
  launch_for_heads<T>(a.head_dim, [&](auto k) {
    if (b.dq.data != nullptr) {
      using Cut = QueryGradient<T, k()>;
      launch_shared(stream, query_gradient_kernel<T, k()>,
                    tile_grid(a, a.queries, Cut::kRows, samples(b.dq)), kTileThreads, Cut::kBytes,
                    b);
    }
    if (b.dk.data != nullptr) {
      using Cut = KeyGradient<T, k()>;
      launch_shared(stream, key_gradient_kernel<T, k()>,
                    tile_grid(a, a.keys, Cut::kRows, samples(b.dk)), kTileThreads, Cut::kBytes, b);
    }
  });
}

#define CDT_INSTANTIATE(T)                                     \
  template std::size_t fused_attention_bytes<T>(std::int64_t); \
  template void fused_attention_backward(cudaStream_t, const FusedAttentionBackward<T>&)
CDT_INSTANTIATE(BFloat16);
CDT_INSTANTIATE(float);
CDT_INSTANTIATE(FloatPart);
#undef CDT_INSTANTIATE

}  // namespace cdt

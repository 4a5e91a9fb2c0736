// Forward: a block owns queries of one head and loops over the keys a tile at a time. The reference
// of the exponents follows the running maximum (Milakov & Gimelshein 2018), but sums are rescaled
// only when the maximum has outgrown it by 2^kHeadroom.
#include "engine/cuda/fused_attention.cuh"

namespace cdt {
namespace {

constexpr float kHeadroom = 8.0F;

template <class T, int K>
constexpr int kForwardGroups = kInParts<T> || (kNarrow<T> && K > 96) ? 1 : 2;

template <class T, int K>
struct Forward : Cutting<T, K, kForwardGroups<T, K>> {
  using Base = Cutting<T, K, kForwardGroups<T, K>>;
  using typename Base::Others;
  using typename Base::Rows;
  static constexpr int kKeptAt = 2 * Others::kBytes;
  static constexpr int kStageBytes = kKeptAt + Base::kRows * int{sizeof(uint2)};
  static constexpr int kStrip = K > 64 ? 32 : Base::kOthers;  // keys scored at a time
  /// Except in tf32, queries move to registers and their tile is reused as the last stage.
  static constexpr bool kInRegisters = sizeof(T) == 2;
  static constexpr int kStagesAt = kInRegisters ? 0 : Rows::kBytes;
  static constexpr int kBytes = kStagesAt + Base::kStages * kStageBytes;
  static_assert(!kInRegisters || Rows::kBytes <= kStageBytes);
  using Queries = RowsOf<T, K, Base::kGroups, Base::kRows, kInRegisters>;
};

/// The state of a thread's rows, two per group: the reference of the exponents, in units of log2,
/// and the sum over this thread's columns.
template <int kGroups>
struct RunningRows {
  float reference[kGroups][2], sum[kGroups][2];

  __device__ __forceinline__ RunningRows() {
#pragma unroll
    for (int group = 0; group < kGroups; ++group) {
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        reference[group][half] = -infinity();
        sum[group][half] = 0.0F;
      }
    }
  }
};

/// Largest score of a row (the given half of a group), over the threads that share the row.
template <int N>
__device__ __forceinline__ float row_maximum(const Scores<N>& s, int half) {
  float high = fmaxf(s.c[0][2 * half], s.c[0][2 * half + 1]);
#pragma unroll
  for (int n = 1; n < N / 8; ++n) {
    high = fmaxf(high, fmaxf(s.c[n][2 * half], s.c[n][2 * half + 1]));
  }
  high = fmaxf(high, __shfl_xor_sync(0xFFFFFFFFU, high, 1));
  return fmaxf(high, __shfl_xor_sync(0xFFFFFFFFU, high, 2));
}

/// Raises the references, and rescales the sums, of rows whose maximum has outgrown them.
template <int K, int N, int kGroups>
__device__ __forceinline__ void follow_maximum(const Scores<N> (&s)[kGroups],
                                               RunningRows<kGroups>* rows,
                                               float (&out)[kGroups][K / 8][4], float scale) {
  float high[kGroups][2];
  bool grown = false;
#pragma unroll
  for (int group = 0; group < kGroups; ++group) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      high[group][half] = row_maximum(s[group], half) * scale;
      grown = grown || high[group][half] > rows->reference[group][half] + kHeadroom;
    }
  }
  if (__any_sync(0xFFFFFFFFU, grown ? 1 : 0) == 0) return;
#pragma unroll
  for (int group = 0; group < kGroups; ++group) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float& reference = rows->reference[group][half];
      const float moved = fmaxf(reference, high[group][half]);
      const float factor = ptx::exp2(reference - moved);
      reference = moved;
      rows->sum[group][half] *= factor;
#pragma unroll
      for (auto& c : out[group]) {
        c[2 * half] *= factor;
        c[2 * half + 1] *= factor;
      }
    }
  }
}

/// scores = 2^(scale * scores - reference); adds them to the sums.
template <int N, int kGroups>
__device__ __forceinline__ void exponentials(Scores<N> (&s)[kGroups], RunningRows<kGroups>* rows,
                                             float scale) {
#pragma unroll
  for (int group = 0; group < kGroups; ++group) {
#pragma unroll
    for (int n = 0; n < N / 8; ++n) {
#pragma unroll
      for (int c = 0; c < 4; ++c) {
        float& x = s[group].c[n][c];
        x = ptx::exp2(fmaf(x, scale, -rows->reference[group][c / 2]));
        rows->sum[group][c / 2] += x;
      }
    }
  }
}

/// Divides by the sums and stores out and log-sum-exp of the existing rows, starting at `first`.
template <class T, int K, int kGroups>
__device__ __forceinline__ void store_forward(const FusedAttention<T>& a,
                                              const RunningRows<kGroups>& rows,
                                              const float (&out)[kGroups][K / 8][4], int sample,
                                              int first) {
  const int lane = lane_number();
  Result<T>* const to = head_of(a.out, a.head_dim, sample);
  float* const sums = sums_of_head(a, sample);
#pragma unroll
  for (int group = 0; group < kGroups; ++group) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      float sum = rows.sum[group][half];
      sum += __shfl_xor_sync(0xFFFFFFFFU, sum, 1);
      sum += __shfl_xor_sync(0xFFFFFFFFU, sum, 2);
      const int i = first + 16 * group + 8 * half + lane / 4;
      if (i >= a.queries) continue;
      if (lane % 4 == 0) sums[i] = rows.reference[group][half] * kLn2 + logf(sum);
      if (a.out.data == nullptr) continue;
      store_row<T, K>(to + i * a.out.row_stride, out[group], half, a.kept_scale / sum, a.head_dim);
    }
  }
}

template <class T, int K>
__global__ void __launch_bounds__(kTileThreads, 2) forward_kernel(FusedAttention<T> a) {
  using Cut = Forward<T, K>;
  CDT_DYNAMIC_SHARED(char, shared);
  const int sample = static_cast<int>(blockIdx.z);
  const int first = static_cast<int>(blockIdx.x) * Cut::kRows;
  const int row = warp_number() * 16 * Cut::kGroups;
  const bool active = first + row < a.queries;
  const Stages<T, Cut> at{shared};
  const typename Cut::Rows tile{
      reinterpret_cast<T*>(Cut::kInRegisters ? at.stage(Cut::kStages - 1) : shared)};
  const RowSource<T, K> keys(head_of(a.k, a.head_dim, sample), a.k.row_stride, a.head_dim);
  const RowSource<T, K> values(head_of(a.v, a.head_dim, sample), a.v.row_stride, a.head_dim);
  const int head = head_number(a, sample);
  const float scale = a.scale * kLog2E;
  typename Cut::Queries queries(tile, row);
  RunningRows<Cut::kGroups> rows;
  float out[Cut::kGroups][K / 8][4] = {};

  RowSource<T, K>(head_of(a.q, a.head_dim, sample), a.q.row_stride, a.head_dim)
      .load_later(tile, first, a.queries);
  pipeline<Cut::kStages>(
      (a.keys + Cut::kOthers - 1) / Cut::kOthers,
      [&](int j, int stage) {
        keys.load_later(at.others(stage, 0), j * Cut::kOthers, a.keys);
        if (a.out.data == nullptr) return;
        values.load_later(at.others(stage, 1), j * Cut::kOthers, a.keys);
        if (a.kept.words == nullptr) return;
        load_kept_later<Cut::kRows>(a.kept, head, j * Cut::kOthers / kKeptColumns, first,
                                    static_cast<int>(threadIdx.x), at.kept(stage));
      },
      [&] { queries.load(); },
      [&](int j, int stage) {
        if (!active) return;
#pragma unroll 1
        for (int strip = 0; strip < Cut::kOthers; strip += Cut::kStrip) {
          const int column = j * Cut::kOthers + strip;
          Scores<Cut::kStrip> s[Cut::kGroups];
          multiply_transposed<T, K>(s, queries, at.others(stage, 0), strip);
          if (a.keys - column < Cut::kStrip) hide_columns(s, a.keys - column);
          follow_maximum<K>(s, &rows, out, scale);
          exponentials(s, &rows, scale);
          if (a.out.data == nullptr) continue;
          KeptRows kept[Cut::kGroups];
#pragma unroll
          for (int group = 0; group < Cut::kGroups; ++group) {
            kept[group].load_if(a.kept.words != nullptr, at.kept(stage), row + 16 * group, column);
          }
          multiply_add<Cut::kStrip>(out, at.others(stage, 1), strip,
                                    [&](FragmentA<T>& f, int group, int n) {
                                      fragment_of<T>(f, s[group], n);
                                      kept[group].template apply<T>(f, n);
                                    });
        }
      });
  if (active) store_forward<T, K>(a, rows, out, sample, first + row);
}

/// Writes the probabilities of 64 queries per block.
template <class T, int K>
__global__ void __launch_bounds__(kTileThreads) map_kernel(FusedAttention<T> a, float* to) {
  using Cut = Cutting<T, K, 1>;
  CDT_DYNAMIC_SHARED(char, shared);
  const int sample = static_cast<int>(blockIdx.z);
  const int first = static_cast<int>(blockIdx.x) * Cut::kRows;
  const int row = warp_number() * 16;
  const int i = first + row + lane_number() / 4;
  const typename Cut::Rows tile{reinterpret_cast<T*>(shared)};
  const auto keys_at = [&](int stage) {
    return typename Cut::Others{
        reinterpret_cast<T*>(shared + Cut::Rows::kBytes + stage * Cut::Others::kBytes)};
  };
  const RowsInShared<T, K, 1, Cut::kRows> queries(tile, row);
  const RowSource<T, K> keys(head_of(a.k, a.head_dim, sample), a.k.row_stride, a.head_dim);
  const float* const sums = sums_of_head(a, sample);
  float shift[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    shift[half] = i + 8 * half < a.queries ? sums[i + 8 * half] * kLog2E : 0.0F;
  }
  RowSource<T, K>(head_of(a.q, a.head_dim, sample), a.q.row_stride, a.head_dim)
      .load_later(tile, first, a.queries);
  pipeline<Cut::kStages>(
      (a.keys + Cut::kOthers - 1) / Cut::kOthers,
      [&](int j, int stage) { keys.load_later(keys_at(stage), j * Cut::kOthers, a.keys); }, [] {},
      [&](int j, int stage) {
        Scores<Cut::kOthers> s[1];
        multiply_transposed<T, K>(s, queries, keys_at(stage), 0);
#pragma unroll
        for (int n = 0; n < Cut::kOthers / 8; ++n) {
#pragma unroll
          for (int c = 0; c < 4; ++c) {
            const int query = i + c / 2 * 8;
            const int key = j * Cut::kOthers + 8 * n + lane_number() % 4 * 2 + c % 2;
            if (query >= a.queries || key >= a.keys) continue;
            to[(std::int64_t{head_number(a, sample)} * a.queries + query) * a.keys + key] =
                ptx::exp2(fmaf(s[0].c[n][c], a.scale * kLog2E, -shift[c / 2]));
          }
        }
      });
}

}  // namespace

template <class T>
void fused_attention(cudaStream_t stream, const FusedAttention<T>& a) {
  launch_for_heads<T>(a.head_dim, [&](auto k) {
    using Cut = Forward<T, k()>;
    launch_shared(stream, forward_kernel<T, k()>, tile_grid(a, a.queries, Cut::kRows, a.batch),
                  kTileThreads, Cut::kBytes, a);
  });
}

template <class T>
void attention_map(cudaStream_t stream, const FusedAttention<T>& a, float* probabilities) {
  launch_for_heads<T>(a.head_dim, [&](auto k) {
    using Cut = Cutting<T, k(), 1>;
    launch_shared(stream, map_kernel<T, k()>, tile_grid(a, a.queries, Cut::kRows, a.batch),
                  kTileThreads, Cut::Rows::kBytes + Cut::kStages * Cut::Others::kBytes, a,
                  probabilities);
  });
}

#define CDT_INSTANTIATE(T)                                               \
  template void fused_attention(cudaStream_t, const FusedAttention<T>&); \
  template void attention_map(cudaStream_t, const FusedAttention<T>&, float*)
CDT_INSTANTIATE(BFloat16);
CDT_INSTANTIATE(float);
CDT_INSTANTIATE(FloatPart);
#undef CDT_INSTANTIATE

}  // namespace cdt

// The gradients of fused_attention_together.cu. A block owns keys and loops over the queries and,
// for each tile of them, over the samples. It sums dv, and it sums the score gradients over the
// samples and stores them:
//   dS = P sum_b (m_b (dout_b v^T) - D_b),   dq = dS k scale,   dk = dS^T q scale
#include "engine/cuda/fused_attention.cuh"

namespace cdt {
namespace {

template <class T, int K>
struct SharedGradient {
  static constexpr bool kInRegisters = kNarrow<T> && K <= 96;
  static constexpr int kRows = kTileThreads / 32 * 16;  // keys per block
  static constexpr int kOthers = kInRegisters ? 64 : 32;
  static constexpr int kStages = kNarrow<T> ? 3 : 2;
  using Rows = Tile<T, K, kRows>;
  using Others = Tile<T, K, kOthers>;
  using KeyRows = RowsInShared<T, K, 1, kRows>;  // each read serves all samples
  using ValueRows = RowsOf<T, K, 1, kRows, kInRegisters>;
  static constexpr int kQueriesAt = 2 * Rows::kBytes;  // two tiles, for this turn and the next
  static constexpr int kStagesAt = kQueriesAt + 2 * Others::kBytes;
  static constexpr int kSumsAt = Others::kBytes;
  static constexpr int kKeptAt = kSumsAt + kOthers * int{sizeof(float2)};
  static constexpr int kStageBytes = kKeptAt + kRows * int{sizeof(uint2)};
  static constexpr int kBytes = kStagesAt + kStages * kStageBytes;
};

/// Number of query tiles per part.
template <int kOthers>
__host__ __device__ __forceinline__ int tiles_of_part(int queries, int parts) {
  return ((queries + kOthers - 1) / kOthers + parts - 1) / parts;
}

/// Blocks: (64 keys, head, part of the queries). Each part has its own sum in to.dv(parts, Nk, H *
/// K).
template <class T, int K>
__global__ void __launch_bounds__(kTileThreads, 2)
    shared_gradient_kernel(FusedAttentionBackward<T> b, SharedSums<T> to) {
  using Cut = SharedGradient<T, K>;
  const FusedAttention<T>& a = b.forward;
  CDT_DYNAMIC_SHARED(char, shared);
  const int first = static_cast<int>(blockIdx.x) * Cut::kRows;
  const int row = warp_number() * 16;
  const int lane = lane_number();
  const bool active = first + row < a.keys;
  const int part = static_cast<int>(blockIdx.z);
  const int tiles = tiles_of_part<Cut::kOthers>(a.queries, to.parts);
  const int begin = part * tiles * Cut::kOthers;
  const int end = min(a.queries, begin + tiles * Cut::kOthers);
  const Stages<T, Cut> at{shared};
  const auto queries_at = [&](int i) {
    return typename Cut::Others{
        reinterpret_cast<T*>(shared + Cut::kQueriesAt + i % 2 * Cut::Others::kBytes)};
  };
  const typename Cut::KeyRows keys({reinterpret_cast<T*>(shared)}, row);
  typename Cut::ValueRows values({reinterpret_cast<T*>(shared + Cut::Rows::kBytes)}, row);
  RowSource<T, K>(head_of(a.k, a.head_dim, 0), a.k.row_stride, a.head_dim)
      .load_later(keys.tile, first, a.keys);
  RowSource<T, K>(head_of(a.v, a.head_dim, 0), a.v.row_stride, a.head_dim)
      .load_later(values.tile, first, a.keys);
  const RowSource<T, K> queries(head_of(a.q, a.head_dim, 0), a.q.row_stride, a.head_dim);
  const float scale = a.scale * kLog2E;
  float dv[1][K / 8][4] = {};
  Scores<Cut::kOthers> p[1];   // of a tile of queries, the same for all samples
  Scores<Cut::kOthers> ds[1];  // sum over the samples
  const int turns = end > begin ? (end - begin + Cut::kOthers - 1) / Cut::kOthers * a.batch : 0;
  pipeline<Cut::kStages>(
      turns,
      [&](int turn, int stage) {
        const int tile = turn / a.batch;
        const int sample = turn % a.batch;
        const int from = begin + tile * Cut::kOthers;
        if (sample == 0) queries.load_later(queries_at(tile), from, end);
        RowSource<T, K>(head_of(b.dout, a.head_dim, sample), b.dout.row_stride, a.head_dim)
            .load_later(at.others(stage), from, end);
        const int head = head_number(a, sample);
        load_sums_later<Cut::kOthers>(b, head, from, at.sums(stage));
        load_kept_later<Cut::kRows>(b.kept_of_keys, head, from / kKeptColumns, first,
                                    static_cast<int>(threadIdx.x), at.kept(stage));
      },
      [&] { values.load(); },
      [&](int turn, int stage) {
        if (!active) return;
        const int tile = turn / a.batch;
        const int sample = turn % a.batch;
        const int from = begin + tile * Cut::kOthers;
        const float2* const of_query = at.sums(stage) + lane % 4 * 2;
        if (sample == 0) {
          multiply_transposed<T, K>(p, keys, queries_at(tile), 0);
          probabilities(&p[0], scale, [&](int n, int c) { return of_query[8 * n + c % 2]; });
          ds[0] = {};
        }
        Scores<Cut::kOthers> d[1];
        multiply_transposed<T, K>(d, values, at.others(stage), 0);
        KeptRows kept;
        kept.load(at.kept(stage), row, from);
#pragma unroll
        for (int n = 0; n < Cut::kOthers / 8; ++n) {
#pragma unroll
          for (int c = 0; c < 4; ++c) {
            const float share = p[0].c[n][c];
            const float masked = __uint_as_float(__float_as_uint(share) & kept.element(n, c));
            float& sum = ds[0].c[n][c];
            sum = fmaf(masked, d[0].c[n][c], fmaf(-share, of_query[8 * n + c % 2].y, sum));
            d[0].c[n][c] = masked;
          }
        }
        multiply_add<Cut::kOthers>(dv, at.others(stage), 0, [&](FragmentA<T>& f, int, int n) {
          fragment_of<T>(f, d[0], n);
        });
        if (sample + 1 < a.batch) return;
#pragma unroll
        for (int half = 0; half < 2; ++half) {
          const int key = first + row + 8 * half + lane / 4;
          if (key >= a.keys) continue;
          Result<T>* const to_row =
              to.ds + (std::int64_t{blockIdx.y} * a.keys + key) * to.ld + from;
#pragma unroll
          for (int n = 0; n < Cut::kOthers / 8; ++n) {
            store_pair(to_row + 8 * n + lane % 4 * 2, ds[0].c[n][2 * half],
                       ds[0].c[n][2 * half + 1]);
          }
        }
      });
  const int width = a.heads * a.head_dim;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int key = first + row + 8 * half + lane / 4;
    if (key >= a.keys) continue;
    float* const to_row = to.dv + (std::int64_t{part} * a.keys + key) * width;
    store_row<T, K>(to_row + std::int64_t{blockIdx.y} * a.head_dim, dv[0], half, a.kept_scale,
                    a.head_dim);
  }
}

/// dv = the sum of its parts, in order. One block per key.
template <class R>
__global__ void add_parts_kernel(FusedView<R> dv, const float* parts, int count, int width) {
  const std::int64_t apart = std::int64_t{gridDim.x} * width;
  const float* const row = parts + std::int64_t{blockIdx.x} * width;
  R* const to = dv.data + blockIdx.x * dv.row_stride;
  for_columns(width, [&](int c) {
    float sum = 0.0F;
    for (int i = 0; i < count; ++i) sum += row[i * apart + c];
    store(to, c, sum);
  });
}

}  // namespace

template <class T>
int shared_gradient_bytes(std::int64_t head_dim) {
  int bytes = 0;
  with_head_dim<T>(head_dim, [&](auto k) { bytes = SharedGradient<T, k()>::kBytes; });
  return bytes;
}

template <class T>
void attention_backward_together(cudaStream_t stream, const FusedAttentionBackward<T>& b,
                                 const SharedSums<T>& to) {
  const FusedAttention<T>& a = b.forward;
  launch_for_heads<T>(a.head_dim, [&](auto k) {
    using Cut = SharedGradient<T, k()>;
    launch_shared(stream, shared_gradient_kernel<T, k()>,
                  tile_grid(a, a.keys, Cut::kRows, to.parts), kTileThreads, Cut::kBytes, b, to);
  });
  const int width = a.heads * a.head_dim;
  launch(stream, add_parts_kernel<Result<T>>, static_cast<unsigned>(a.keys), row_threads(width),
         b.dv, to.dv, to.parts, width);
}

#define CDT_INSTANTIATE(T)                                                                  \
  template int shared_gradient_bytes<T>(std::int64_t);                                      \
  template void attention_backward_together(cudaStream_t, const FusedAttentionBackward<T>&, \
                                            const SharedSums<T>&)
CDT_INSTANTIATE(BFloat16);
CDT_INSTANTIATE(float);
CDT_INSTANTIATE(FloatPart);
#undef CDT_INSTANTIATE

}  // namespace cdt

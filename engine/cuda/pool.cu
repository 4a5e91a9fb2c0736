// Pooling with few queries. Each kernel makes one pass over the tokens or their gradient.
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"
#include "engine/cuda/rows.cuh"

namespace cdt {
namespace {

constexpr int kHeads = 4;        // heads whose sums a thread holds at a time
constexpr int kScoreTokens = 8;  // tokens per block that computes scores
constexpr int kOuterTokens = 4;  // tokens per thread that sums outer products
constexpr int kPieceThreads = 192;

/// First column of this thread's piece.
__device__ __forceinline__ int piece_column() {
  return 4 * static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
}

/// out(b, h, n) = scale * (u(b, h) . x(b, n) + shift(b, h)). Sixteen lanes own a token.
template <class T, int kUnits, bool kWhole>
__global__ void pool_scores_kernel(const float* u, std::int64_t u_stride, const T* x,
                                   const float* shift, float scale, float* out, int heads, int n,
                                   int d) {
  using Row = RowUnits<T, kUnits, kWhole>;
  const int place =
      static_cast<int>(blockIdx.x) * kScoreTokens + static_cast<int>(threadIdx.x) / kRowLanes;
  const int token = min(place, n - 1);  // lanes past the last token recompute it
  const auto b = std::int64_t{blockIdx.y};
  const Row row(x + (b * n + token) * d, d);
  for (int first = 0; first < heads; first += kHeads) {
    float dot[kHeads] = {};
    Row::for_units(d, [&](int k, int unit) {
      for_pieces(row, k, unit, [&](int c, const float(&value)[4]) {
#pragma unroll
        for (int h = 0; h < kHeads; ++h) {
          const float* query = u + b * u_stride + std::int64_t{min(first + h, heads - 1)} * d;
          float weight[4];
          unpack(load_piece<kWhole>(query, c, d), weight);
#pragma unroll
          for (int i = 0; i < 4; ++i) dot[h] += value[i] * weight[i];
        }
      });
    });
#pragma unroll
    for (int h = 0; h < kHeads; ++h) {
      const float sum = sum_over_row(dot[h]);
      if (place >= n || Row::lane() != h || first + h >= heads) continue;
      const std::int64_t head = b * heads + first + h;
      out[head * n + token] = scale * (shift != nullptr ? sum + shift[head] : sum);
    }
  }
}

/// partial (B, chunks, stride): sums over a chunk of tokens of p x, (H, D), then of p, (H). One
/// block per chunk (y) and sample (z); one thread per piece of the columns (x).
template <class T, bool kWhole>
__global__ void pool_mix_kernel(const float* p, const T* x, float* partial, int heads, int n, int d,
                                int chunk, std::int64_t stride) {
  const int c = piece_column();
  if (c >= d) return;
  const auto b = std::int64_t{blockIdx.z};
  const int begin = static_cast<int>(blockIdx.y) * chunk;
  const int end = min(n, begin + chunk);
  float* out = partial + (b * gridDim.y + blockIdx.y) * stride;
  for (int first = 0; first < heads; first += kHeads) {
    float sum[kHeads][4] = {};
    float mass[kHeads] = {};
#pragma unroll 4
    for (int i = begin; i < end; ++i) {
      float value[4];
      unpack(load_piece<kWhole>(x + (b * n + i) * d, c, d), value);
#pragma unroll
      for (int h = 0; h < kHeads; ++h) {
        const float weight = p[(b * heads + min(first + h, heads - 1)) * n + i];
        mass[h] += weight;
#pragma unroll
        for (int e = 0; e < 4; ++e) sum[h][e] += weight * value[e];
      }
    }
#pragma unroll
    for (int h = 0; h < kHeads; ++h) {
      if (first + h >= heads) break;
      store_piece<kWhole>(out + std::int64_t{first + h} * d, c, d, packed(sum[h], float{}));
      if (c == 0) out[std::int64_t{heads} * d + first + h] = mass[h];
    }
  }
}

/// out = (sum over H of ds u + p dmixed) + scale base. One block per four tokens (y) and sample
/// (z); one thread per piece of the columns (x).
template <class T, bool kWhole>
__global__ void pool_outer_kernel(const float* ds, const float* u, const float* p,
                                  const float* dmixed, const float* scale, const T* base, T* out,
                                  int heads, int n, int d) {
  const int c = piece_column();
  if (c >= d) return;
  const auto b = std::int64_t{blockIdx.z};
  const int token = static_cast<int>(blockIdx.y) * kOuterTokens;
  const int count = min(kOuterTokens, n - token);
  float sum[kOuterTokens][4] = {};
#pragma unroll
  for (int t = 0; t < kOuterTokens; ++t) {
    if (base == nullptr || t >= count) continue;
    const std::int64_t row = b * n + token + t;
    unpack(load_piece<kWhole>(base + row * d, c, d), sum[t]);
    const float factor = scale != nullptr ? scale[row] : 1.0F;
#pragma unroll
    for (int e = 0; e < 4; ++e) sum[t][e] *= factor;
  }
  for (int h = 0; h < heads; ++h) {
    const std::int64_t head = b * heads + h;
    float query[4], mixed[4];
    unpack(load_piece<kWhole>(u + std::int64_t{h} * d, c, d), query);
    unpack(load_piece<kWhole>(dmixed + head * d, c, d), mixed);
#pragma unroll
    for (int t = 0; t < kOuterTokens; ++t) {
      const std::int64_t at = head * n + token + min(t, count - 1);
      const float score = ds[at];
      const float weight = p[at];
#pragma unroll
      for (int e = 0; e < 4; ++e) sum[t][e] += score * query[e] + weight * mixed[e];
    }
  }
#pragma unroll
  for (int t = 0; t < kOuterTokens; ++t) {
    if (t >= count) continue;
    store_piece<kWhole>(out + (b * n + token + t) * d, c, d, packed(sum[t], T{}));
  }
}

/// One thread per token.
__global__ void norm_factors_kernel(const float* ds, const float* p, const float* slope,
                                    const float* stats, float* b, float* own, int heads, int n) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  const float scale = stats[2 * std::int64_t{i} + 1];
  float sum = 0.0F;
  for (int k = 0; k < 2 * heads; ++k) {
    const std::int64_t at = std::int64_t{k} * n + i;
    const float a = k < heads ? ds[at] : p[at - std::int64_t{heads} * n];
    b[at] = scale * a;
    sum -= scale * a * slope[at];
  }
  own[i] = sum;
}

/// Partial sums over chunks of tokens, (B, chunks, stride).
struct MixParts : Scratch {
  MixParts(const Tensor& p, const Tensor& x, const RowChunks& chunks, Arena& scratch)
      : Scratch(scratch, {p.shape[0], chunks.count, stride_of(p, x)}) {}
  /// Space for H * D sums and H masses, rounded up to whole pieces.
  static std::int64_t stride_of(const Tensor& p, const Tensor& x) {
    return p.shape[1] * x.cols() + 4 * ceil_div(p.shape[1], 4);
  }
};

}  // namespace

void CudaBackend::pool_mix_scratch(const Tensor& p, const Tensor& x, const Tensor& /*mixed*/,
                                   const Tensor& /*mass*/, Arena& scratch) {
  const MixParts partial(p, x, RowChunks(p.shape[2]), scratch);
}

void CudaBackend::pool_scores(const Tensor& u, const Tensor& x, const Tensor& shift, float scale,
                              const Tensor& out) {
  const std::int64_t heads = out.shape[1];
  const std::int64_t n = out.shape[2];
  const std::int64_t d = x.cols();
  const dim3 blocks(blocks_for(n, kScoreTokens), static_cast<unsigned>(x.shape[0]));
  with_row_units(d, {x, u}, [&](auto t, auto units, auto whole) {
    using T = decltype(t);
    launch(stream_, pool_scores_kernel<T, units(), whole()>, blocks, kScoreTokens * kRowLanes,
           u.data, u.shape[0] == 1 ? 0 : heads * d, elements<T>(x), shift.data, scale, out.data,
           heads, n, d);
  });
}

void CudaBackend::pool_mix(const Tensor& p, const Tensor& x, const Tensor& mixed,
                           const Tensor& mass, Arena& scratch) {
  const std::int64_t batch = p.shape[0];
  const std::int64_t heads = p.shape[1];
  const std::int64_t d = x.cols();
  const RowChunks chunks(p.shape[2]);
  const MixParts partial(p, x, chunks, scratch);
  const std::int64_t stride = MixParts::stride_of(p, x);
  const dim3 blocks(blocks_for(d, 4 * kPieceThreads), static_cast<unsigned>(chunks.count),
                    static_cast<unsigned>(batch));
  with_pieces(d, {x}, [&](auto t, auto whole) {
    using T = decltype(t);
    launch(stream_, pool_mix_kernel<T, whole()>, blocks, kPieceThreads, p.data, elements<T>(x),
           partial.data(), heads, p.shape[2], d, chunks.rows, stride);
  });
  const bool summed = mixed.shape[0] == 1;
  add_partials({{partial.data(), summed ? batch * chunks.count : chunks.count, stride, mixed, false,
                 summed ? 1 : batch},
                {partial.data() + heads * d, chunks.count, stride, mass, false, batch}});
}

void CudaBackend::pool_outer(const Tensor& ds, const Tensor& u, const Tensor& p,
                             const Tensor& dmixed, const Tensor& scale, const Tensor& base,
                             const Tensor& out) {
  const std::int64_t n = p.shape[2];
  const dim3 blocks(blocks_for(out.cols(), 4 * kPieceThreads), blocks_for(n, kOuterTokens),
                    static_cast<unsigned>(out.shape[0]));
  with_pieces(out.cols(), {out, base, u, dmixed}, [&](auto t, auto whole) {
    using T = decltype(t);
    launch(stream_, pool_outer_kernel<T, whole()>, blocks, kPieceThreads, ds.data, u.data, p.data,
           dmixed.data, scale.data, elements<T>(base), elements<T>(out), p.shape[1], n, out.cols());
  });
}

void CudaBackend::norm_factors(const Tensor& ds, const Tensor& p, const Tensor& slope,
                               const Tensor& stats, const Tensor& b, const Tensor& own) {
  launch(stream_, norm_factors_kernel, blocks_for(p.shape[2], kColumnThreads), kColumnThreads,
         ds.data, p.data, slope.data, stats.data, b.data, own.data, p.shape[1], p.shape[2]);
}

}  // namespace cdt

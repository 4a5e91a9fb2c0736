// Pooling with few queries. Each kernel is one pass over tokens or over their gradient.
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

/// out(b, h, n) = scale * (u(b, h) . x(b, n) + shift(b, h)). A block is one token of one sample.
template <class T>
__global__ void scores_kernel(const float* u, std::int64_t u_stride, const T* x, const float* shift,
                              float scale, float* out, int heads, int n, int d) {
  const int token = static_cast<int>(blockIdx.x);
  const int b = static_cast<int>(blockIdx.y);
  const T* row = x + (std::int64_t{b} * n + token) * d;
  for (int h = 0; h < heads; ++h) {
    const float* query = u + b * u_stride + std::int64_t{h} * d;
    float dot = 0.0F;
    for_columns(d, [&](int c) { dot += load(row, c) * query[c]; });
    dot = sum_over_block(dot);
    if (threadIdx.x == 0) {
      const std::int64_t head = std::int64_t{b} * heads + h;
      out[head * n + token] = scale * (shift != nullptr ? dot + shift[head] : dot);
    }
  }
}

/// partial (B, chunks, H, D): sums over a chunk of tokens of p x. A block is some columns (x) of
/// one chunk (y) of one sample and head (z = b * H + h).
template <class T>
__global__ void mix_kernel(const float* p, const T* x, float* partial, int heads, int n, int d,
                           int chunk) {
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (c >= d) return;
  const int b = static_cast<int>(blockIdx.z) / heads;
  const int h = static_cast<int>(blockIdx.z) % heads;
  const int begin = static_cast<int>(blockIdx.y) * chunk;
  const int end = min(n, begin + chunk);
  const float* weights = p + std::int64_t{blockIdx.z} * n;
  const T* tokens = x + std::int64_t{b} * n * d + c;
  float sum = 0.0F;
  for (int i = begin; i < end; ++i) sum += weights[i] * load(tokens, std::int64_t{i} * d);
  partial[((std::int64_t{b} * gridDim.y + blockIdx.y) * heads + h) * d + c] = sum;
}

/// mass = the sum of a row of p. A block is one sample and head.
__global__ void mass_kernel(const float* p, float* mass, int n) {
  float sum = 0.0F;
  for_columns(n, [&](int i) { sum += p[std::int64_t{blockIdx.x} * n + i]; });
  sum = sum_over_block(sum);
  if (threadIdx.x == 0) mass[blockIdx.x] = sum;
}

/// out = sum over H of ds u + p dmixed, + scale base. A block is one token of one sample.
template <class T>
__global__ void outer_kernel(const float* ds, const float* u, const float* p, const float* dmixed,
                             const float* scale, const T* base, T* out, int heads, int n, int d) {
  const int token = static_cast<int>(blockIdx.x);
  const int b = static_cast<int>(blockIdx.y);
  const std::int64_t row = std::int64_t{b} * n + token;
  const float factor = scale != nullptr ? scale[row] : 1.0F;
  for_columns(d, [&](int c) {
    float sum = base != nullptr ? factor * load(base, row * d + c) : 0.0F;
    for (int h = 0; h < heads; ++h) {
      const std::int64_t head = std::int64_t{b} * heads + h;
      sum += ds[head * n + token] * u[std::int64_t{h} * d + c];
      sum += p[head * n + token] * dmixed[head * d + c];
    }
    store(out, row * d + c, sum);
  });
}

/// A thread is one token.
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

dim3 tokens_by_samples(const Tensor& x) {
  return {static_cast<unsigned>(x.shape[1]), static_cast<unsigned>(x.shape[0])};
}

/// Sums of the chunks of tokens, (B, chunks, H*D).
struct MixParts : Scratch {
  MixParts(const Tensor& p, const Tensor& x, const RowChunks& chunks, Arena& scratch)
      : Scratch(scratch, {p.shape[0], chunks.count, p.shape[1] * x.cols()}) {}
};

}  // namespace

void CudaBackend::pool_mix_scratch(const Tensor& p, const Tensor& x, const Tensor& /*mixed*/,
                                   const Tensor& /*mass*/, Arena& scratch) {
  const MixParts partial(p, x, RowChunks(p.shape[2]), scratch);
}

void CudaBackend::pool_scores(const Tensor& u, const Tensor& x, const Tensor& shift, float scale,
                              const Tensor& out) {
  const std::int64_t heads = out.shape[1];
  const std::int64_t d = x.cols();
  with_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, scores_kernel<T>, tokens_by_samples(x), row_threads(d), u.data,
           u.shape[0] == 1 ? 0 : heads * d, elements<T>(x), shift.data, scale, out.data, heads,
           out.shape[2], d);
  });
}

void CudaBackend::pool_mix(const Tensor& p, const Tensor& x, const Tensor& mixed,
                           const Tensor& mass, Arena& scratch) {
  const std::int64_t batch = p.shape[0];
  const std::int64_t heads = p.shape[1];
  const std::int64_t n = p.shape[2];
  const std::int64_t d = x.cols();
  const RowChunks chunks(n);
  const MixParts partial(p, x, chunks, scratch);
  with_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, mix_kernel<T>,
           dim3(blocks_for(d, kColumnThreads), static_cast<unsigned>(chunks.count),
                static_cast<unsigned>(batch * heads)),
           kColumnThreads, p.data, elements<T>(x), partial.data(), heads, n, d, chunks.rows);
  });
  if (mixed.shape[0] == 1) {
    add_partials(partial.data(), batch * chunks.count, heads * d, mixed, false);
  } else {
    for (std::int64_t b = 0; b < batch; ++b) {
      add_partials(partial.data() + b * chunks.count * heads * d, chunks.count, heads * d,
                   mixed.slice(b, b + 1), false);
    }
  }
  if (mass.empty()) return;
  launch(stream_, mass_kernel, static_cast<unsigned>(batch * heads), row_threads(n), p.data,
         mass.data, n);
}

void CudaBackend::pool_outer(const Tensor& ds, const Tensor& u, const Tensor& p,
                             const Tensor& dmixed, const Tensor& scale, const Tensor& base,
                             const Tensor& out) {
  with_type(out.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, outer_kernel<T>, tokens_by_samples(out), row_threads(out.cols()), ds.data,
           u.data, p.data, dmixed.data, scale.data, elements<T>(base), elements<T>(out), p.shape[1],
           p.shape[2], out.cols());
  });
}

void CudaBackend::norm_factors(const Tensor& ds, const Tensor& p, const Tensor& slope,
                               const Tensor& stats, const Tensor& b, const Tensor& own) {
  launch(stream_, norm_factors_kernel, blocks_for(p.shape[2], kColumnThreads), kColumnThreads,
         ds.data, p.data, slope.data, stats.data, b.data, own.data, p.shape[1], p.shape[2]);
}

}  // namespace cdt

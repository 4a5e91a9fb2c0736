// Pooling with few queries. All three kernels are one pass over x, or over its gradient.
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/dispatch.h"
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

/// dx (+)= sum over H of ds u + p dmixed. A block is one token of one sample.
template <class T>
__global__ void input_gradient_kernel(const float* ds, const float* u, const float* p,
                                      const float* dmixed, T* dx, int heads, int n, int d,
                                      bool accumulate) {
  const int token = static_cast<int>(blockIdx.x);
  const int b = static_cast<int>(blockIdx.y);
  T* row = dx + (std::int64_t{b} * n + token) * d;
  for_columns(d, [&](int c) {
    float sum = accumulate ? load(row, c) : 0.0F;
    for (int h = 0; h < heads; ++h) {
      const std::int64_t head = std::int64_t{b} * heads + h;
      sum += ds[head * n + token] * u[std::int64_t{h} * d + c];
      sum += p[head * n + token] * dmixed[head * d + c];
    }
    store(row, c, sum);
  });
}

dim3 tokens_by_samples(const Tensor& x) {
  return {static_cast<unsigned>(x.shape[1]), static_cast<unsigned>(x.shape[0])};
}

}  // namespace

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
  const Scratch partial(scratch, {batch, chunks.count, heads * d});
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

void CudaBackend::pool_input_gradient(const Tensor& ds, const Tensor& u, const Tensor& p,
                                      const Tensor& dmixed, const Tensor& dx, bool accumulate) {
  with_type(dx.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, input_gradient_kernel<T>, tokens_by_samples(dx), row_threads(dx.cols()),
           ds.data, u.data, p.data, dmixed.data, elements<T>(dx), p.shape[1], p.shape[2], dx.cols(),
           accumulate);
  });
}

}  // namespace cdt

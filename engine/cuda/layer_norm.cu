// Layer normalisation: per row the mean first, then the squares about it. A thread meets the same
// columns in every pass, so what one pass stores the next may read.
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

constexpr float kEpsilon = 1e-5F;

/// y = gamma * (x - mean) * scale + beta; sum: of this thread's columns of x.
template <class T>
__device__ __forceinline__ void normalise(const T* x, const float* gamma, const float* beta, T* y,
                                          float* stats, int cols, float sum) {
  const auto width = static_cast<float>(cols);
  const float mean = sum_over_block(sum) / width;
  float squares = 0.0F;
  for_columns(cols, [&](int c) {
    const float d = load(x, c) - mean;
    squares += d * d;
  });
  const float scale = 1.0F / sqrtf(sum_over_block(squares) / width + kEpsilon);
  for_columns(cols, [&](int c) { store(y, c, (load(x, c) - mean) * scale * gamma[c] + beta[c]); });
  if (threadIdx.x == 0) {
    stats[0] = mean;
    stats[1] = scale;
  }
}

template <class T>
__global__ void layer_norm_kernel(const T* x, const float* gamma, const float* beta, T* y,
                                  float* stats, int cols) {
  const std::int64_t at = std::int64_t{blockIdx.x} * cols;
  float sum = 0.0F;
  for_columns(cols, [&](int c) { sum += load(x, at + c); });
  normalise(x + at, gamma, beta, y + at, stats + 2 * std::int64_t{blockIdx.x}, cols, sum);
}

__global__ void scale_and_centre_kernel(const float* r, const float* gamma, float* v, int cols) {
  const std::int64_t at = std::int64_t{blockIdx.x} * cols;
  float sum = 0.0F;
  for_columns(cols, [&](int c) { sum += r[at + c] * gamma[c]; });
  const float mean = sum_over_block(sum) / static_cast<float>(cols);
  for_columns(cols, [&](int c) { v[at + c] = r[at + c] * gamma[c] - mean; });
}

/// a = x + mask * a, then y = layer norm of a as it was stored.
template <class T>
__global__ void residual_norm_kernel(const T* x, T* a, const float* gamma, const float* beta, T* y,
                                     float* stats, int source_rows, int cols, Mask mask) {
  const auto row = std::int64_t{blockIdx.x};
  const T* in = x + row % source_rows * cols;
  T* total = a + row * cols;
  float sum = 0.0F;
  for_masked_columns(mask, blockIdx.x, cols, [&](int c, float factor) {
    store(total, c, load(in, c) + load(total, c) * factor);
    sum += load(total, c);
  });
  normalise(total, gamma, beta, y + row * cols, stats + 2 * row, cols, sum);
}

/// dx = scale * (dy * gamma - mean of it - normalised x * mean of (dy * gamma * normalised x))
template <class T>
__global__ void layer_norm_backward_kernel(const T* x, const float* gamma, const float* stats,
                                           const T* dy, T* dx, int cols) {
  const std::int64_t at = std::int64_t{blockIdx.x} * cols;
  const float mean = stats[2 * std::int64_t{blockIdx.x}];
  const float scale = stats[2 * std::int64_t{blockIdx.x} + 1];
  float sum = 0.0F;
  float dot = 0.0F;
  for_columns(cols, [&](int c) {
    const float g = load(dy, at + c) * gamma[c];
    sum += g;
    dot += g * ((load(x, at + c) - mean) * scale);
  });
  const auto width = static_cast<float>(cols);
  const float shift = sum_over_block(sum) / width;
  const float slope = sum_over_block(dot) / width;
  for_columns(cols, [&](int c) {
    const float normal = (load(x, at + c) - mean) * scale;
    store(dx, at + c, (load(dy, at + c) * gamma[c] - shift - normal * slope) * scale);
  });
}

/// partial (chunks, 2, cols): sums over rows of dy * normalised x, and of dy. A block is some
/// columns (x) of one chunk of rows (y).
template <class T>
__global__ void weight_partials_kernel(const T* x, const float* stats, const T* dy, float* partial,
                                       int rows, int cols, int chunk) {
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (c >= cols) return;
  const int begin = static_cast<int>(blockIdx.y) * chunk;
  const int end = min(rows, begin + chunk);
  float gamma_sum = 0.0F;
  float beta_sum = 0.0F;
  for (int r = begin; r < end; ++r) {
    const std::int64_t at = std::int64_t{r} * cols + c;
    const float d = load(dy, at);
    gamma_sum += d * ((load(x, at) - stats[2 * std::int64_t{r}]) * stats[2 * std::int64_t{r} + 1]);
    beta_sum += d;
  }
  float* out = partial + std::int64_t{blockIdx.y} * 2 * cols;
  out[c] = gamma_sum;
  out[cols + c] = beta_sum;
}

}  // namespace

void CudaBackend::layer_norm(const Tensor& x, const Tensor& gamma, const Tensor& beta,
                             const Tensor& y, const Tensor& stats) {
  with_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, layer_norm_kernel<T>, grid_of_rows(x), row_threads(x.cols()), elements<T>(x),
           gamma.data, beta.data, elements<T>(y), stats.data, x.cols());
  });
}

void CudaBackend::scale_and_centre(const Tensor& r, const Tensor& gamma, const Tensor& v) {
  launch(stream_, scale_and_centre_kernel, grid_of_rows(r), row_threads(r.cols()), r.data,
         gamma.data, v.data, r.cols());
}

void CudaBackend::residual_dropout_norm(const Tensor& x, const DropoutKey& key, const Tensor& a,
                                        const Tensor& gamma, const Tensor& beta, const Tensor& y,
                                        const Tensor& stats) {
  with_type(a.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, residual_norm_kernel<T>, grid_of_rows(a), row_threads(a.cols()), elements<T>(x),
           elements<T>(a), gamma.data, beta.data, elements<T>(y), stats.data, x.rows(), a.cols(),
           mask(key));
  });
}

void CudaBackend::layer_norm_backward(const Tensor& x, const Tensor& gamma, const Tensor& stats,
                                      const Tensor& dy, const Tensor& dx, const Tensor& dgamma,
                                      const Tensor& dbeta) {
  const std::int64_t rows = x.rows();
  const std::int64_t cols = x.cols();
  with_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    if (!dgamma.empty() || !dbeta.empty()) {
      const RowChunks chunks(rows);
      float* partial = partials(chunks.count * 2 * cols);
      launch(stream_, weight_partials_kernel<T>,
             dim3(blocks_for(cols, kColumnThreads), static_cast<unsigned>(chunks.count)),
             kColumnThreads, elements<T>(x), stats.data, elements<T>(dy), partial, rows, cols,
             chunks.rows);
      if (!dgamma.empty()) add_partials(partial, chunks.count, 2 * cols, dgamma, true);
      if (!dbeta.empty()) add_partials(partial + cols, chunks.count, 2 * cols, dbeta, true);
    }
    if (dx.empty()) return;
    launch(stream_, layer_norm_backward_kernel<T>, grid_of_rows(x), row_threads(cols),
           elements<T>(x), gamma.data, stats.data, elements<T>(dy), elements<T>(dx), cols);
  });
}

}  // namespace cdt

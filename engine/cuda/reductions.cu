// Sums: fixed chunks of rows, then the chunks in order.
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

/// A block is some columns (x) of one chunk of rows (y).
template <class T>
__global__ void column_partials_kernel(const T* x, float* partial, int rows, int cols, int chunk) {
  const int c = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (c >= cols) return;
  const int begin = static_cast<int>(blockIdx.y) * chunk;
  const int end = min(rows, begin + chunk);
  float sum = 0.0F;
  for (int r = begin; r < end; ++r) sum += load(x, std::int64_t{r} * cols + c);
  partial[std::int64_t{blockIdx.y} * cols + c] = sum;
}

__global__ void add_partials_kernel(const float* partial, int chunks, std::int64_t stride,
                                    float* out, int n, bool accumulate) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i >= n) return;
  float sum = 0.0F;
  for (int c = 0; c < chunks; ++c) sum += partial[c * stride + i];
  out[i] = accumulate ? out[i] + sum : sum;
}

__global__ void row_dot_sqrt_kernel(const float* a, const float* b, float* out, int cols) {
  const std::int64_t at = std::int64_t{blockIdx.x} * cols;
  double dot = 0.0;
  for_columns(
      cols, [&](int c) { dot += static_cast<double>(a[at + c]) * static_cast<double>(b[at + c]); });
  dot = sum_over_block(dot);
  if (threadIdx.x == 0) out[blockIdx.x] = static_cast<float>(sqrt(dot > 0.0 ? dot : 0.0));
}

}  // namespace

void CudaBackend::add_partials(const float* partial, std::int64_t chunks, std::int64_t stride,
                               const Tensor& out, bool accumulate) {
  launch(stream_, add_partials_kernel, blocks_for(out.count(), kColumnThreads), kColumnThreads,
         partial, chunks, stride, out.data, out.count(), accumulate);
}

void CudaBackend::column_sum(const Tensor& x, const Tensor& out, bool accumulate) {
  const RowChunks chunks(x.rows());
  float* partial = partials(chunks.count * x.cols());
  with_type(x.dtype, [&](auto t) {
    using T = decltype(t);
    launch(stream_, column_partials_kernel<T>,
           dim3(blocks_for(x.cols(), kColumnThreads), static_cast<unsigned>(chunks.count)),
           kColumnThreads, elements<T>(x), partial, x.rows(), x.cols(), chunks.rows);
  });
  add_partials(partial, chunks.count, x.cols(), out, accumulate);
}

void CudaBackend::row_dot_sqrt(const Tensor& a, const Tensor& b, const Tensor& out) {
  launch(stream_, row_dot_sqrt_kernel, grid_of_rows(a), row_threads(a.cols()), a.data, b.data,
         out.data, a.cols());
}

}  // namespace cdt

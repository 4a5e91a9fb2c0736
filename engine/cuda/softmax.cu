// Row-wise softmax with dropout on its output, for attention pooling.
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

/// x = softmax of the row, in-place; dropped = mask * x.
__global__ void softmax_kernel(float* x, float* dropped, int cols, Mask mask) {
  float* row = x + std::int64_t{blockIdx.x} * cols;
  float* out = dropped + std::int64_t{blockIdx.x} * cols;
  const SoftmaxRow s = softmax_row(row, cols);
  for_masked_columns(mask, blockIdx.x, cols, [&](int c, float factor) {
    const float p = expf(row[c] - s.max) / s.sum;
    row[c] = p;
    out[c] = p * factor;
  });
}

/// ds = p * (m dp - sum of p m dp)
__global__ void softmax_backward_kernel(const float* p, const float* dp, float* ds, int cols,
                                        Mask mask) {
  const std::int64_t at = std::int64_t{blockIdx.x} * cols;
  float dot = 0.0F;
  for_masked_columns(mask, blockIdx.x, cols, [&](int c, float factor) {
    const float masked = dp[at + c] * factor;
    dot += p[at + c] * masked;
    ds[at + c] = masked;
  });
  dot = sum_over_block(dot);
  for_columns(cols, [&](int c) { ds[at + c] = p[at + c] * (ds[at + c] - dot); });
}

}  // namespace

void CudaBackend::softmax_dropout(const Tensor& x, const DropoutKey& key, const Tensor& dropped) {
  launch(stream_, softmax_kernel, grid_of_rows(x), row_threads(x.cols()), x.data, dropped.data,
         x.cols(), mask(key));
}

void CudaBackend::softmax_dropout_backward(const Tensor& p, const Tensor& dp, const DropoutKey& key,
                                           const Tensor& ds) {
  launch(stream_, softmax_backward_kernel, grid_of_rows(p), row_threads(p.cols()), p.data, dp.data,
         ds.data, p.cols(), mask(key));
}

}  // namespace cdt

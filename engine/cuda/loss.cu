// Huber loss and selection of one gene per sample. A batch has few elements, so one thread sums it.
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

__global__ void select_kernel(const float* x, const std::int32_t* index, float* out, int batch,
                              int cols) {
  const int b = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (b < batch) out[b] = x[std::int64_t{b} * cols + index[b]];
}

__global__ void select_backward_kernel(const float* dout, const std::int32_t* index, float* dx,
                                       int cols) {
  float* row = dx + std::int64_t{blockIdx.x} * cols;
  const int chosen = index[blockIdx.x];
  for_columns(cols, [&](int c) { row[c] = c == chosen ? dout[blockIdx.x] : 0.0F; });
}

// Without weights, the arithmetic is that of a mean: no product by 1 that changes contractions.
template <bool kWeighted>
__global__ void huber_kernel(const float* prediction, const float* target, const float* weight,
                             double delta, float* out, int batch) {
  if (threadIdx.x > 0) return;
  double sum = 0.0;
  for (int b = 0; b < batch; ++b) {
    const double miss = fabs(static_cast<double>(prediction[b]) - static_cast<double>(target[b]));
    if constexpr (kWeighted) {
      sum += static_cast<double>(weight[b]) *
             (miss <= delta ? 0.5 * miss * miss : delta * (miss - 0.5 * delta));
    } else {
      sum += miss <= delta ? 0.5 * miss * miss : delta * (miss - 0.5 * delta);
    }
  }
  out[0] = static_cast<float>(sum / batch);
}

template <bool kWeighted>
__global__ void huber_backward_kernel(const float* prediction, const float* target,
                                      const float* weight, double delta, const float* dloss,
                                      float* dprediction, int batch) {
  const int b = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (b >= batch) return;
  double share = static_cast<double>(dloss[0]) / batch;
  if constexpr (kWeighted) share *= static_cast<double>(weight[b]);
  double miss = static_cast<double>(prediction[b]) - static_cast<double>(target[b]);
  if (miss > delta) miss = delta;  // NaN passes through
  if (miss < -delta) miss = -delta;
  dprediction[b] = static_cast<float>(share * miss);
}

constexpr int kThreads = 128;

}  // namespace

void CudaBackend::select(const Tensor& x, const Tensor& index, const Tensor& out) {
  launch(stream_, select_kernel, blocks_for(out.count(), kThreads), kThreads, x.data,
         reinterpret_cast<const std::int32_t*>(index.data), out.data, out.count(), x.cols());
}

void CudaBackend::select_backward(const Tensor& dout, const Tensor& index, const Tensor& dx) {
  launch(stream_, select_backward_kernel, grid_of_rows(dx), row_threads(dx.cols()), dout.data,
         reinterpret_cast<const std::int32_t*>(index.data), dx.data, dx.cols());
}

void CudaBackend::huber(const Tensor& prediction, const Tensor& target, const Tensor& weight,
                        float delta, const Tensor& out) {
  launch(stream_, weight.empty() ? huber_kernel<false> : huber_kernel<true>, 1U, 32,
         prediction.data, target.data, weight.data, delta, out.data, prediction.count());
}

void CudaBackend::huber_backward(const Tensor& prediction, const Tensor& target,
                                 const Tensor& weight, float delta, const Tensor& dloss,
                                 const Tensor& dprediction) {
  launch(stream_, weight.empty() ? huber_backward_kernel<false> : huber_backward_kernel<true>,
         blocks_for(prediction.count(), kThreads), kThreads, prediction.data, target.data,
         weight.data, delta, dloss.data, dprediction.data, prediction.count());
}

}  // namespace cdt

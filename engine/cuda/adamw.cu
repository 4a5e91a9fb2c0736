// Clipping by the global norm and AdamW, each for all parameters at once: a table on the device
// lists chunks of equal size.
#include <cmath>
#include <vector>

#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

constexpr int kThreads = 256;
constexpr std::int64_t kChunk = 4096;  // elements

struct DeviceParameter {
  float *w, *grad, *first, *second;
  BFloat16* rounded;
  std::int64_t count;
  std::int32_t group;
};

struct Chunk {
  std::int32_t parameter;
  std::int32_t number;  // index within the parameter
};

/// Calls body(i) for the elements of this block's chunk.
template <class Body>
__device__ __forceinline__ void for_chunk(const DeviceParameter& p, const Chunk& chunk,
                                          const Body& body) {
  const std::int64_t begin = chunk.number * kChunk;
  const std::int64_t end = begin + kChunk < p.count ? begin + kChunk : p.count;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += kThreads) body(i);
}

/// partial[chunk] = sum of squares of the chunk
__global__ void squares_kernel(const DeviceParameter* parameters, const Chunk* chunks,
                               double* partial) {
  const Chunk chunk = chunks[blockIdx.x];
  const DeviceParameter p = parameters[chunk.parameter];
  double sum = 0.0;
  for_chunk(p, chunk, [&](std::int64_t i) {
    const auto g = static_cast<double>(p.grad[i]);
    sum += g * g;
  });
  sum = sum_over_block(sum);
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

/// clip[0] = the norm, clip[1] = clip_factor(norm, max_norm)
__global__ void norm_kernel(const double* partial, int chunks, double max_norm, float* clip) {
  double sum = 0.0;
  for (int i = static_cast<int>(threadIdx.x); i < chunks; i += kThreads) sum += partial[i];
  const double norm = sqrt(sum_over_block(sum));
  if (threadIdx.x > 0) return;
  const double factor = max_norm > 0.0 ? max_norm / (norm + 1e-6) : 1.0;
  clip[0] = static_cast<float>(norm);
  clip[1] = static_cast<float>(factor < 1.0 ? factor : 1.0);
}

__global__ void adamw_kernel(const DeviceParameter* parameters, const Chunk* chunks,
                             const AdamWRates* rates, const float* clip) {
  if (!(fabsf(clip[0]) < INFINITY)) return;  // NaN too
  const Chunk chunk = chunks[blockIdx.x];
  const DeviceParameter p = parameters[chunk.parameter];
  const AdamWRates r = rates[p.group];
  const float scale = clip[1];
  for_chunk(p, chunk, [&](std::int64_t i) {
    const float g = p.grad[i] * scale;
    const float first = p.first[i] * r.beta1 + g * r.rest1;
    const float second = p.second[i] * r.beta2 + g * g * r.rest2;
    p.first[i] = first;
    p.second[i] = second;
    const float w = p.w[i] * r.decay - r.rate * first / (sqrtf(second) / r.root + r.eps);
    p.w[i] = w;
    if (p.rounded != nullptr) p.rounded[i] = to_bfloat16(w);
  });
}

template <class T>
T* to_device(const std::vector<T>& host, cudaStream_t stream) {
  void* device = nullptr;
  CDT_CUDA(cudaMalloc(&device, host.size() * sizeof(T)));
  CDT_CUDA(cudaMemcpyAsync(device, host.data(), host.size() * sizeof(T), cudaMemcpyHostToDevice,
                           stream));
  CDT_CUDA(cudaStreamSynchronize(stream));
  return static_cast<T*>(device);
}

}  // namespace

const CudaBackend::ParameterTable& CudaBackend::table_of(std::span<const AdamWTensors> parameters) {
  const auto found = tables_.find(parameters.front().first.data);
  if (found != tables_.end()) return found->second;
  CDT_CHECK(!capturing(), "an optimiser's first update cannot be part of a recorded step");
  std::vector<DeviceParameter> list;
  std::vector<Chunk> chunks;
  for (const AdamWTensors& t : parameters) {
    const std::int64_t count = t.w.count();
    for (std::int64_t i = 0; i * kChunk < count; ++i) {
      chunks.push_back({static_cast<std::int32_t>(list.size()), static_cast<std::int32_t>(i)});
    }
    list.push_back({t.w.data, t.grad.data, t.first.data, t.second.data,
                    reinterpret_cast<BFloat16*>(t.rounded.data), count, t.group});
  }
  ParameterTable& table = tables_[parameters.front().first.data];
  table.parameters = to_device(list, stream_);
  table.chunks = to_device(chunks, stream_);
  table.partial = to_device(std::vector<double>(chunks.size(), 0.0), stream_);
  table.count = static_cast<unsigned>(chunks.size());
  return table;
}

void CudaBackend::clip(std::span<const AdamWTensors> parameters, double max_norm,
                       const Tensor& clip) {
  const ParameterTable& table = table_of(parameters);
  launch(stream_, squares_kernel, table.count, kThreads,
         static_cast<const DeviceParameter*>(table.parameters),
         static_cast<const Chunk*>(table.chunks), table.partial);
  launch(stream_, norm_kernel, 1U, kThreads, table.partial, table.count, max_norm, clip.data);
}

void CudaBackend::adamw(std::span<const AdamWTensors> parameters, const Tensor& rates,
                        const Tensor& clip) {
  const ParameterTable& table = table_of(parameters);
  launch(stream_, adamw_kernel, table.count, kThreads,
         static_cast<const DeviceParameter*>(table.parameters),
         static_cast<const Chunk*>(table.chunks), reinterpret_cast<const AdamWRates*>(rates.data),
         clip.data);
}

}  // namespace cdt

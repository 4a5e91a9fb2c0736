// Memory, copies and the upload stream.
#include <cstring>

#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

constexpr std::size_t kMostWords = 256;

struct Words {
  std::uint32_t word[kMostWords];
};

__global__ void write_words_kernel(std::uint32_t* dst, Words words, int count) {
  const int i = static_cast<int>(threadIdx.x);
  if (i < count) dst[i] = words.word[i];
}

std::size_t size_of(const Tensor& t) { return static_cast<std::size_t>(t.bytes()); }

}  // namespace

cudaError_t find_kernels() {
  cudaFuncAttributes attributes{};
  return cudaFuncGetAttributes(&attributes, write_words_kernel);
}

float* CudaBackend::reserve(std::size_t bytes) { return memory_.reserve(bytes); }

void CudaBackend::commit(float* base, std::size_t /*from*/, std::size_t to) {
  CDT_CHECK(!capturing(), "memory grows while a step is being recorded");
  memory_.commit(base, to);
}

void CudaBackend::release(float* base, std::size_t /*bytes*/) {
  cudaStreamSynchronize(stream_);
  memory_.release(base);
}

void CudaBackend::write_words(void* dst, const void* host, std::size_t bytes) {
  Words words{};
  std::memcpy(words.word, host, bytes);
  launch(stream_, write_words_kernel, 1U, static_cast<int>(kMostWords),
         static_cast<std::uint32_t*>(dst), words, bytes / sizeof(std::uint32_t));
}

void CudaBackend::upload(const Tensor& dst, const void* host) {
  CDT_CHECK(!capturing(), "an upload cannot be part of a recorded step");
  const std::size_t bytes = size_of(dst);
  if (bytes <= sizeof(Words) && bytes % sizeof(std::uint32_t) == 0) {
    write_words(dst.data, host, bytes);
    return;
  }
  CDT_CUDA(cudaMemcpyAsync(dst.data, host, bytes, cudaMemcpyHostToDevice, stream_));
  CDT_CUDA(cudaStreamSynchronize(stream_));
}

void CudaBackend::download(void* host, const Tensor& src) {
  CDT_CUDA(cudaMemcpyAsync(host, src.data, size_of(src), cudaMemcpyDeviceToHost, stream_));
  CDT_CUDA(cudaStreamSynchronize(stream_));
}

void CudaBackend::copy(const Tensor& dst, const Tensor& src) {
  CDT_CUDA(cudaMemcpyAsync(dst.data, src.data, size_of(src), cudaMemcpyDeviceToDevice, stream_));
}

void* CudaBackend::reserve_host(std::size_t bytes) {
  void* base = nullptr;
  CDT_CUDA(cudaMallocHost(&base, bytes));
  return base;
}

void CudaBackend::release_host(void* base) {
  cudaStreamSynchronize(stream_);
  cudaStreamSynchronize(upload_stream_);
  cudaFreeHost(base);
}

void CudaBackend::download_later(void* host, const Tensor& src, int slot) {
  CDT_CUDA(cudaMemcpyAsync(host, src.data, size_of(src), cudaMemcpyDeviceToHost, stream_));
  CDT_CUDA(cudaEventRecord(downloaded_[slot], stream_));
}

void CudaBackend::wait(int slot) { CDT_CUDA(cudaEventSynchronize(downloaded_[slot])); }

void CudaBackend::synchronize() { CDT_CUDA(cudaStreamSynchronize(stream_)); }

std::size_t CudaBackend::free_bytes() const {
  std::size_t free = 0;
  std::size_t total = 0;
  CDT_CUDA(cudaMemGetInfo(&free, &total));
  return free;
}

// This and wait_upload() may be called from a thread on which no CUDA device is set.
void CudaBackend::upload_later(const Tensor& dst, const void* host, int slot) {
  CDT_CUDA(cudaSetDevice(options_.device));
  CDT_CUDA(cudaStreamWaitEvent(upload_stream_, taken_[slot]));
  CDT_CUDA(cudaMemcpyAsync(dst.data, host, size_of(dst), cudaMemcpyHostToDevice, upload_stream_));
  CDT_CUDA(cudaEventRecord(uploaded_[slot], upload_stream_));
}

void CudaBackend::wait_upload(int slot) {
  CDT_CUDA(cudaSetDevice(options_.device));
  CDT_CUDA(cudaEventSynchronize(uploaded_[slot]));
}

void CudaBackend::take_upload(const Tensor& dst, const Tensor& src, int slot) {
  CDT_CUDA(cudaStreamWaitEvent(stream_, uploaded_[slot]));
  cast(dst, src);
  CDT_CUDA(cudaEventRecord(taken_[slot], stream_));
}

float* CudaBackend::partials(std::int64_t count) {
  const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(float);
  if (bytes > partials_committed_) {
    commit(partials_, 0, bytes);
    partials_committed_ = bytes;
  }
  return partials_;
}

void CudaBackend::begin_step(std::uint32_t step) {
  if (step == step_) return;
  CDT_CHECK(!capturing(), "the step of a mask cannot change within a recorded step");
  write_words(step_word_, &step, sizeof step);
  step_ = step;
}

Mask CudaBackend::mask(const DropoutKey& key, std::int64_t first_row) {
  if (key.p <= 0.0F) return {0, 0, 0, 0, 1.0F, 0, step_word_};
  begin_step(key.step);
  return {static_cast<std::uint32_t>(key.seed),
          static_cast<std::uint32_t>(key.seed >> 32U),
          key.site,
          key.threshold() << 16U,
          key.scale(),
          key.first_row + static_cast<std::uint32_t>(first_row),
          step_word_};
}

}  // namespace cdt

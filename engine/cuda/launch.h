// Shared host-side code of all kernels: checked CUDA calls, one way to launch, and the types and
// masks that kernels take.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "engine/bfloat16.h"
#include "engine/error.h"
#include "engine/tensor.h"

namespace cdt {

[[noreturn]] inline void cuda_failed(cudaError_t status, const char* call, const char* file,
                                     int line) {
  throw Error(std::string("cuda: ") + call + " at " + file + ":" + std::to_string(line) + ": " +
              cudaGetErrorName(status) + ", " + cudaGetErrorString(status));
}

}  // namespace cdt

/// Makes a CUDA call; a failure throws Error naming the call, file and line.
#define CDT_CUDA(call)                                           \
  do {                                                           \
    const cudaError_t cdt_status = (call);                       \
    if (cdt_status != cudaSuccess) {                             \
      ::cdt::cuda_failed(cdt_status, #call, __FILE__, __LINE__); \
    }                                                            \
  } while (false)

namespace cdt {

/// A DropoutKey in the form kernels take. The step is read from device memory, so that a replayed
/// launch draws the mask of the current step.
struct Mask {
  std::uint32_t key0, key1, site;
  std::uint32_t threshold;  // of draws in the upper half of a word; 0: everything is kept
  float scale;
  std::uint32_t first_row;  // added to every row
  const std::uint32_t* step;
};

template <class T>
T* elements(const Tensor& t) {
  return reinterpret_cast<T*>(t.data);
}

/// Calls body(float{}) or body(BFloat16{}).
template <class Body>
void with_type(Dtype dtype, const Body& body) {
  CDT_CHECK(dtype != Dtype::kInt32, "no kernel of this name takes indices");
  if (dtype == Dtype::kBFloat16) {
    body(BFloat16{});
  } else {
    body(float{});
  }
}

/// Launches a kernel. Arguments are converted to its parameter types; a failed launch throws Error.
/// threads: per block, a multiple of 32. Zero blocks are the caller's mistake. shared_bytes:
/// dynamic shared memory per block.
template <class... Params, class... Args>
void launch_shared(cudaStream_t stream, void (*kernel)(Params...), dim3 blocks, int threads,
                   std::size_t shared_bytes, Args&&... args) {
  constexpr std::size_t kFree = std::size_t{48} << 10U;  // above 48 KiB a kernel must opt in
  if (shared_bytes > kFree) {
    CDT_CUDA(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                  static_cast<int>(shared_bytes)));
  }
  cudaLaunchConfig_t config{};
  config.gridDim = blocks;
  config.blockDim = dim3(static_cast<unsigned>(threads));
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream;
  CDT_CUDA(cudaLaunchKernelEx(&config, kernel, static_cast<Params>(std::forward<Args>(args))...));
}

/// Launches a kernel without dynamic shared memory.
template <class... Params, class... Args>
void launch(cudaStream_t stream, void (*kernel)(Params...), dim3 blocks, int threads,
            Args&&... args) {
  launch_shared(stream, kernel, blocks, threads, 0, std::forward<Args>(args)...);
}

inline unsigned blocks_for(std::int64_t n, std::int64_t per_block) {
  return static_cast<unsigned>(ceil_div(n, per_block));
}

/// Threads of a block that processes one row: one per four columns (for_columns() in kernel.cuh).
inline int row_threads(std::int64_t cols) {
  const std::int64_t quads = ceil_div(cols, 64) * 16;
  return static_cast<int>(std::min<std::int64_t>(256, ceil_div(quads, 32) * 32));
}

}  // namespace cdt

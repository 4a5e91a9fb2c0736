// The one way to launch a kernel. Arguments are converted to the kernel's parameter types; a launch
// the device refuses is an Error.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "engine/cuda/status.h"
#include "engine/tensor.h"

namespace cdt {

/// threads: of a block, a multiple of 32. blocks of 0 are an error of the caller. shared_bytes:
/// dynamic shared memory of a block.
template <class... Params, class... Args>
void launch_shared(cudaStream_t stream, void (*kernel)(Params...), dim3 blocks, int threads,
                   std::size_t shared_bytes, Args&&... args) {
  constexpr std::size_t kFree = std::size_t{48} << 10U;  // beyond it a kernel needs leave
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

/// Without dynamic shared memory.
template <class... Params, class... Args>
void launch(cudaStream_t stream, void (*kernel)(Params...), dim3 blocks, int threads,
            Args&&... args) {
  launch_shared(stream, kernel, blocks, threads, 0, std::forward<Args>(args)...);
}

inline unsigned blocks_for(std::int64_t n, std::int64_t per_block) {
  return static_cast<unsigned>(ceil_div(n, per_block));
}

/// Threads of a block that works on one row: one for each four columns of a mask (kernel.cuh).
inline int row_threads(std::int64_t cols) {
  const std::int64_t quads = ceil_div(cols, 64) * 16;
  return static_cast<int>(std::min<std::int64_t>(256, ceil_div(quads, 32) * 32));
}

}  // namespace cdt

// Launches: runs the blocks of a grid one after another; in checking mode under every order of
// threads and blocks, from the same memory, and demands equal results.
#pragma once

#include <functional>
#include <string>

#include "tests/emulation/include/cuda_runtime.h"

namespace cdt::emulation {

struct Launch {
  dim3 grid, block;
  std::size_t dynamic_shared_bytes = 0;
  const void* kernel = nullptr;
  std::function<void()> body;  // one thread
};

/// Runs it now. An error becomes the device's error and a finding (emulation.h).
cudaError_t run(const Launch& launch);

/// The largest dynamic shared memory that `kernel` may use (cudaFuncSetAttribute).
void allow_dynamic_shared(const void* kernel, std::size_t bytes);

}  // namespace cdt::emulation

// Every call into CUDA is checked: a failure is an Error naming the call, file and line.
#pragma once

#include <cuda_runtime.h>

#include <string>

#include "engine/error.h"

namespace cdt {

[[noreturn]] inline void cuda_failed(cudaError_t status, const char* call, const char* file,
                                     int line) {
  throw Error(std::string("cuda: ") + call + " at " + file + ":" + std::to_string(line) + ": " +
              cudaGetErrorName(status) + ", " + cudaGetErrorString(status));
}

}  // namespace cdt

#define CDT_CUDA(call)                                           \
  do {                                                           \
    const cudaError_t cdt_status = (call);                       \
    if (cdt_status != cudaSuccess) {                             \
      ::cdt::cuda_failed(cdt_status, #call, __FILE__, __LINE__); \
    }                                                            \
  } while (false)

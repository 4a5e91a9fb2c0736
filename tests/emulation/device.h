// State of the emulated devices that all parts of the runtime share.
#pragma once

#include <mutex>
#include <string>

#include "tests/emulation/include/cuda_runtime.h"

namespace cdt::emulation {

/// Held by every call of the runtime.
std::unique_lock<std::recursive_mutex> lock_runtime();

/// Records a finding, prints it and returns `error`. `sticky`: every later call fails with it, as
/// after an error inside a kernel.
cudaError_t report(cudaError_t error, const std::string& finding, bool sticky = false);
/// Sets what cudaGetLastError returns; returns it.
cudaError_t set_last_error(cudaError_t error);
/// The error that stays, or cudaSuccess.
cudaError_t sticky_error();

int device_count();

}  // namespace cdt::emulation

// The state of the emulated devices, shared by all parts of the runtime.
#pragma once

#include <mutex>
#include <string>

#include "tests/emulation/include/cuda_runtime.h"

namespace cdt::emulation {

/// Held by every call of the runtime.
std::unique_lock<std::recursive_mutex> lock_runtime();

/// Records a finding, prints it and returns `error`. `sticky`: every later call fails with the same
/// error, as after an error inside a kernel.
cudaError_t report(cudaError_t error, const std::string& finding, bool sticky = false);
/// Sets what cudaGetLastError returns; returns it.
cudaError_t set_last_error(cudaError_t error);
/// The sticky error, or cudaSuccess.
cudaError_t sticky_error();

int device_count();
/// The device of this thread: that of its last cudaSetDevice, or 0 before the first.
int current_device();
/// An error if a call would use device 0 of several only because its thread has chosen none.
cudaError_t check_chosen(const char* call);
/// An error if `what` belongs to another device than the thread's. CUDA accepts some of these
/// calls, but creates a context on the thread's device for them.
cudaError_t check_device(int device, const std::string& what);

}  // namespace cdt::emulation

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
/// The device of this thread: that of its last cudaSetDevice, 0 before.
int current_device();
/// An error where a call would take device 0 of several only because its thread has chosen none.
cudaError_t check_chosen(const char* call);
/// An error where `what` is of another device than the thread's. CUDA takes some of these calls,
/// but makes a context on the thread's device for them.
cudaError_t check_device(int device, const std::string& what);

}  // namespace cdt::emulation

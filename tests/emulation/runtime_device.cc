// The runtime's calls for devices and errors.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "tests/emulation/device.h"
#include "tests/emulation/emulation.h"
#include "tests/emulation/launch.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/shared_memory.h"
#include "tests/emulation/stream.h"

namespace cdt::emulation {
namespace {

struct Device {
  std::recursive_mutex mutex;
  cudaError_t last = cudaSuccess, sticky = cudaSuccess;
  std::string finding;
  bool checking = false;
};

struct ThreadDevice {
  int number = 0;
  bool chosen = false;
};
thread_local ThreadDevice this_thread;

bool switched_on(const char* variable) {
  const char* const text = std::getenv(variable);
  return text != nullptr && std::strcmp(text, "0") != 0;
}

Device& device() {
  static Device d;
  return d;
}

// Before main, when nothing is allocated or running yet.
const bool kSteered = [] {
  if (switched_on("CDT_EMULATION_CHECK")) set_checking(true);
  if (switched_on("CDT_EMULATION_LAZY")) set_lazy(true);
  return true;
}();

struct ErrorName {
  cudaError_t error;
  const char* name;
  const char* text;
};
constexpr ErrorName kErrors[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInvalidConfiguration, "cudaErrorInvalidConfiguration",
     "invalid configuration argument"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device ordinal"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no CUDA-capable device is detected"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorNotReady, "cudaErrorNotReady", "device not ready"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress",
     "an illegal memory access was encountered"},
    {cudaErrorMisalignedAddress, "cudaErrorMisalignedAddress", "misaligned address"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "unspecified launch failure"},
    {cudaErrorNotSupported, "cudaErrorNotSupported", "operation not supported"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported",
     "operation not permitted when stream is capturing"},
    {cudaErrorStreamCaptureInvalidated, "cudaErrorStreamCaptureInvalidated",
     "operation failed due to a previous error during capture"},
    {cudaErrorStreamCaptureUnjoined, "cudaErrorStreamCaptureUnjoined",
     "capturing stream has unjoined work"},
    {cudaErrorStreamCaptureImplicit, "cudaErrorStreamCaptureImplicit",
     "operation would make the legacy stream depend on a capturing blocking stream"},
};

const ErrorName& entry(cudaError_t error) {
  static constexpr ErrorName kOther{cudaErrorUnknown, "cudaErrorUnknown", "unknown error"};
  const auto* const found = std::find_if(std::begin(kErrors), std::end(kErrors),
                                         [&](const ErrorName& e) { return e.error == error; });
  return found == std::end(kErrors) ? kOther : *found;
}

}  // namespace

std::unique_lock<std::recursive_mutex> lock_runtime() {
  return std::unique_lock<std::recursive_mutex>(device().mutex);
}

cudaError_t report(cudaError_t error, const std::string& finding, bool sticky) {
  std::fprintf(stderr, "cuda emulation: %s\n", finding.c_str());
  if (device().finding.empty()) device().finding = finding;
  if (sticky) device().sticky = error;
  return set_last_error(error);
}

cudaError_t set_last_error(cudaError_t error) { return device().last = error; }

cudaError_t sticky_error() { return device().sticky; }

int device_count() {
  const char* const text = std::getenv("CDT_EMULATED_DEVICES");
  return text != nullptr ? std::atoi(text) : 1;
}

int current_device() { return this_thread.number; }

cudaError_t check_chosen(const char* call) {
  if (device_count() < 2 || this_thread.chosen) return cudaSuccess;
  return report(cudaErrorInvalidDevice, std::string(call) +
                                            " on a thread that has chosen none of " +
                                            std::to_string(device_count()) + " devices");
}

cudaError_t check_device(int device, const std::string& what) {
  if (device == current_device()) return cudaSuccess;
  return report(cudaErrorInvalidResourceHandle, what + " of device " + std::to_string(device) +
                                                    " on a thread whose device is " +
                                                    std::to_string(current_device()));
}

void set_checking(bool on) {
  const auto lock = lock_runtime();
  device().checking = on;
  close_between_launches(on);
}

bool checking() { return device().checking; }

std::string take_finding() {
  const auto lock = lock_runtime();
  flush_all();
  std::string finding;
  finding.swap(device().finding);
  device().last = device().sticky = cudaSuccess;
  return finding;
}

}  // namespace cdt::emulation

using namespace cdt::emulation;  // NOLINT(google-build-using-namespace)

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
cudaError_t cudaGetLastError() {
  const auto lock = lock_runtime();
  const cudaError_t error = device().sticky != cudaSuccess ? device().sticky : device().last;
  device().last = cudaSuccess;
  return error;
}

cudaError_t cudaPeekAtLastError() {
  const auto lock = lock_runtime();
  return device().sticky != cudaSuccess ? device().sticky : device().last;
}

const char* cudaGetErrorName(cudaError_t error) { return entry(error).name; }

const char* cudaGetErrorString(cudaError_t error) { return entry(error).text; }

cudaError_t cudaGetDeviceCount(int* count) {
  const auto lock = lock_runtime();
  *count = device_count();
  return *count > 0 ? cudaSuccess : set_last_error(cudaErrorNoDevice);
}

cudaError_t cudaSetDevice(int number) {
  const auto lock = lock_runtime();
  if (device_count() == 0) return set_last_error(cudaErrorNoDevice);
  if (number < 0 || number >= device_count()) return set_last_error(cudaErrorInvalidDevice);
  this_thread = {number, true};
  return sticky_error();
}

cudaError_t cudaGetDevice(int* number) {
  const auto lock = lock_runtime();
  *number = current_device();
  return device_count() > 0 ? sticky_error() : set_last_error(cudaErrorNoDevice);
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int number) {
  const auto lock = lock_runtime();
  if (number < 0 || number >= device_count()) return set_last_error(cudaErrorInvalidDevice);
  *p = {};
  std::snprintf(p->name, sizeof(p->name), "emulated device");
  p->totalGlobalMem = memory_info().total;
  p->sharedMemPerBlock = std::size_t{48} << 10U;
  p->sharedMemPerMultiprocessor = std::size_t{228} << 10U;
  p->regsPerBlock = 65536;
  p->warpSize = 32;
  p->maxThreadsPerBlock = 1024;
  p->maxThreadsPerMultiProcessor = 2048;
  p->maxThreadsDim[0] = p->maxThreadsDim[1] = 1024;
  p->maxThreadsDim[2] = 64;
  p->maxGridSize[0] = 0x7fffffff;
  p->maxGridSize[1] = p->maxGridSize[2] = 65535;
  const char* const capability = std::getenv("CDT_EMULATED_CAPABILITY");
  p->major = capability != nullptr ? std::atoi(capability) : 9;
  p->sharedMemPerBlockOptin = p->major < 9 ? std::size_t{163} << 10U : kMaxDynamicShared;
  const char* const multiprocessors = std::getenv("CDT_EMULATED_MULTIPROCESSORS");
  p->multiProcessorCount = multiprocessors != nullptr ? std::atoi(multiprocessors) : 4;
  p->l2CacheSize = 1 << 20;
  p->canMapHostMemory = p->concurrentKernels = 1;
  return sticky_error();
}

cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int number) {
  cudaDeviceProp p;
  const cudaError_t error = cudaGetDeviceProperties(&p, number);
  if (error != cudaSuccess) return error;
  switch (attribute) {
    case cudaDevAttrMaxThreadsPerBlock:
      *value = p.maxThreadsPerBlock;
      break;
    case cudaDevAttrMaxSharedMemoryPerBlock:
      *value = static_cast<int>(p.sharedMemPerBlock);
      break;
    case cudaDevAttrWarpSize:
      *value = p.warpSize;
      break;
    case cudaDevAttrMultiProcessorCount:
      *value = p.multiProcessorCount;
      break;
    case cudaDevAttrL2CacheSize:
      *value = p.l2CacheSize;
      break;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
      *value = p.maxThreadsPerMultiProcessor;
      break;
    case cudaDevAttrComputeCapabilityMajor:
      *value = p.major;
      break;
    case cudaDevAttrComputeCapabilityMinor:
      *value = p.minor;
      break;
    case cudaDevAttrClockRate:
    case cudaDevAttrMemoryClockRate:
      *value = 0;  // it has none
      break;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
      *value = static_cast<int>(p.sharedMemPerBlockOptin);
      break;
  }
  return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize() {
  const auto lock = lock_runtime();
  if (device_count() == 0) return set_last_error(cudaErrorNoDevice);
  const cudaError_t capturing = forbid_while_capturing("cudaDeviceSynchronize");
  if (capturing != cudaSuccess) return capturing;
  flush_all();
  return sticky_error();
}

cudaError_t cudaDeviceReset() {
  const auto lock = lock_runtime();
  flush_all();
  release_all();
  device().last = device().sticky = cudaSuccess;
  return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int* version) {
  *version = device_count() > 0 ? 13000 : 0;
  return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(cudaFuncAttributes* attributes, const void* /*kernel*/) {
  const auto lock = lock_runtime();
  *attributes = {};
  return device_count() > 0 ? sticky_error() : set_last_error(cudaErrorNoDevice);
}

cudaError_t cudaFuncSetAttribute(const void* kernel, cudaFuncAttribute attribute, int value) {
  const auto lock = lock_runtime();
  if (attribute != cudaFuncAttributeMaxDynamicSharedMemorySize) return sticky_error();
  cudaDeviceProp device;
  if (cudaGetDeviceProperties(&device, current_device()) != cudaSuccess || value < 0 ||
      static_cast<std::size_t>(value) > device.sharedMemPerBlockOptin) {
    return set_last_error(cudaErrorInvalidValue);
  }
  allow_dynamic_shared(kernel, static_cast<std::size_t>(value));
  return sticky_error();
}
// NOLINTEND(readability-identifier-naming)

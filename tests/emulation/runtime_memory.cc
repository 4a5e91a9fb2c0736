// The runtime's calls for memory and copies.
#include <algorithm>
#include <cstring>
#include <map>

#include "tests/emulation/device.h"
#include "tests/emulation/journal.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/stream.h"

using namespace cdt::emulation;  // NOLINT(google-build-using-namespace)

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
namespace {

std::map<const char*, std::size_t>& registered() {
  static std::map<const char*, std::size_t> ranges;
  return ranges;
}

bool is_registered(const void* pointer, std::size_t bytes) {
  const auto* const p = static_cast<const char*>(pointer);
  auto it = registered().upper_bound(p);
  if (it == registered().begin()) return false;
  --it;
  return p + bytes <= it->first + it->second;
}

bool is_device(const void* p) { return holds(p, 0, MemoryKind::kDevice); }

/// Where one side of a copy is: on the device, as required, or on the host.
struct Side {
  const void* pointer;
  std::size_t span;
  bool device;
  const char* name;
};

std::string wrong_side(const Side& s) {
  if (s.device && !holds(s.pointer, s.span, MemoryKind::kDevice)) {
    const std::string where = describe_address(s.pointer);
    return std::string(s.name) + ", " + std::to_string(s.span) +
           " bytes, is not device memory: " + (where.empty() ? "an address of the host" : where);
  }
  if (!s.device && is_device(s.pointer)) {
    return std::string(s.name) + " is device memory: " + describe_address(s.pointer);
  }
  return "";
}

struct Copy {
  char* to;
  std::size_t to_pitch;
  const char* from;
  std::size_t from_pitch, width, height;

  std::size_t span(std::size_t pitch) const { return (height - 1) * pitch + width; }
  void run() const {
    const Opened opened;
    for (std::size_t row = 0; row < height; ++row) {
      std::memcpy(to + row * to_pitch, from + row * from_pitch, width);
    }
  }
};

/// Reads and writes `bytes`.
Issue describe_transfer(IssueKind kind, const char* way, std::size_t bytes) {
  Issue said;
  said.kind = kind;
  said.name = way;
  said.bytes = bytes;
  return said;
}

/// Pageable host memory is read or written during the call, as with the driver's staging.
cudaError_t copy(const Copy& c, cudaMemcpyKind kind, cudaStream_t handle, const char* call) {
  if (sticky_error() != cudaSuccess) return sticky_error();
  if (c.width == 0 || c.height == 0) return cudaSuccess;
  bool to_device = kind == cudaMemcpyHostToDevice || kind == cudaMemcpyDeviceToDevice;
  bool from_device = kind == cudaMemcpyDeviceToHost || kind == cudaMemcpyDeviceToDevice;
  if (kind == cudaMemcpyDefault) to_device = is_device(c.to), from_device = is_device(c.from);
  const Side to{c.to, c.span(c.to_pitch), to_device, "the destination"};
  const Side from{c.from, c.span(c.from_pitch), from_device, "the source"};
  for (const Side& side : {to, from}) {
    const std::string wrong = wrong_side(side);
    if (!wrong.empty()) return report(cudaErrorInvalidValue, std::string(call) + ": " + wrong);
  }
  if (c.to < c.from + from.span && c.from < c.to + to.span) {
    return report(cudaErrorInvalidValue, std::string(call) + ": source and destination overlap");
  }
  const auto pageable = [](const Side& s) {
    return !s.device && !holds(s.pointer, s.span, MemoryKind::kPinned) &&
           !is_registered(s.pointer, s.span);
  };
  const auto describe = [&] {
    const char* const way = !to_device ? "to host" : !from_device ? "from host" : "on device";
    return describe_transfer(IssueKind::kCopy, way, 2 * c.width * c.height);
  };
  CUstream_st* const stream = stream_of(handle);
  if (stream != nullptr && (pageable(to) || pageable(from))) {
    if (stream->capture) {
      stream->capture->invalid = true;
      return report(cudaErrorStreamCaptureUnsupported,
                    std::string(call) + ": pageable host memory while a stream is captured");
    }
    const cudaError_t error = issue(
        handle, [c] { c.run(); }, describe);
    flush(*stream, stream->submitted);
    return error != cudaSuccess ? error : sticky_error();
  }
  return issue(
      handle, [c] { c.run(); }, describe);
}

/// For calls without "Async": in the default stream, complete when they return.
cudaError_t finish(cudaError_t error) {
  if (error != cudaSuccess) return error;
  flush_all();
  return sticky_error();
}

cudaError_t allocate_checked(void** pointer, std::size_t bytes, MemoryKind kind, const char* call) {
  const auto lock = lock_runtime();
  *pointer = nullptr;
  if (device_count() == 0) return set_last_error(cudaErrorNoDevice);
  const cudaError_t unchosen = check_chosen(call);
  if (unchosen != cudaSuccess) return unchosen;
  const cudaError_t capturing = forbid_while_capturing(call);
  if (capturing != cudaSuccess) return capturing;
  if (sticky_error() != cudaSuccess || bytes == 0) return sticky_error();
  *pointer = allocate(bytes, kind, current_device());
  return *pointer != nullptr ? cudaSuccess : set_last_error(cudaErrorMemoryAllocation);
}

cudaError_t free_checked(void* pointer, MemoryKind kind, const char* call) {
  const auto lock = lock_runtime();
  const cudaError_t capturing = forbid_while_capturing(call);
  if (capturing != cudaSuccess) return capturing;
  if (pointer == nullptr) return sticky_error();
  flush_all();
  if (!release(pointer, kind)) {
    const std::string where = describe_address(pointer);
    return report(cudaErrorInvalidValue, std::string(call) +
                                             " of what is no allocation of its kind: " +
                                             (where.empty() ? "an address of the host" : where));
  }
  return sticky_error();
}

}  // namespace

cudaError_t cudaMalloc(void** pointer, std::size_t bytes) {
  return allocate_checked(pointer, bytes, MemoryKind::kDevice, "cudaMalloc");
}

cudaError_t cudaFree(void* pointer) {
  return free_checked(pointer, MemoryKind::kDevice, "cudaFree");
}

cudaError_t cudaMallocHost(void** pointer, std::size_t bytes) {
  return allocate_checked(pointer, bytes, MemoryKind::kPinned, "cudaMallocHost");
}

cudaError_t cudaHostAlloc(void** pointer, std::size_t bytes, unsigned /*flags*/) {
  return allocate_checked(pointer, bytes, MemoryKind::kPinned, "cudaHostAlloc");
}

cudaError_t cudaFreeHost(void* pointer) {
  return free_checked(pointer, MemoryKind::kPinned, "cudaFreeHost");
}

cudaError_t cudaHostRegister(void* pointer, std::size_t bytes, unsigned /*flags*/) {
  const auto lock = lock_runtime();
  if (pointer == nullptr || bytes == 0) return set_last_error(cudaErrorInvalidValue);
  if (!registered().emplace(static_cast<const char*>(pointer), bytes).second) {
    return set_last_error(cudaErrorHostMemoryAlreadyRegistered);
  }
  return sticky_error();
}

cudaError_t cudaHostUnregister(void* pointer) {
  const auto lock = lock_runtime();
  flush_all();
  if (registered().erase(static_cast<const char*>(pointer)) == 0) {
    return set_last_error(cudaErrorHostMemoryNotRegistered);
  }
  return sticky_error();
}

cudaError_t cudaMemGetInfo(std::size_t* free_bytes, std::size_t* total_bytes) {
  const auto lock = lock_runtime();
  if (device_count() == 0) return set_last_error(cudaErrorNoDevice);
  const cudaError_t unchosen = check_chosen("cudaMemGetInfo");
  if (unchosen != cudaSuccess) return unchosen;
  *free_bytes = memory_info().free;
  *total_bytes = memory_info().total;
  return sticky_error();
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
  const auto lock = lock_runtime();
  return copy({static_cast<char*>(to), bytes, static_cast<const char*>(from), bytes, bytes, 1},
              kind, stream, "cudaMemcpyAsync");
}

cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  const auto lock = lock_runtime();
  return finish(
      copy({static_cast<char*>(to), bytes, static_cast<const char*>(from), bytes, bytes, 1}, kind,
           nullptr, "cudaMemcpy"));
}

cudaError_t cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from,
                              std::size_t from_pitch, std::size_t width, std::size_t height,
                              cudaMemcpyKind kind, cudaStream_t stream) {
  const auto lock = lock_runtime();
  if (to_pitch < width || from_pitch < width) {
    return report(cudaErrorInvalidValue, "cudaMemcpy2DAsync: a pitch below the width");
  }
  return copy(
      {static_cast<char*>(to), to_pitch, static_cast<const char*>(from), from_pitch, width, height},
      kind, stream, "cudaMemcpy2DAsync");
}

cudaError_t cudaMemsetAsync(void* to, int value, std::size_t bytes, cudaStream_t stream) {
  const auto lock = lock_runtime();
  if (sticky_error() != cudaSuccess || bytes == 0) return sticky_error();
  const std::string wrong = wrong_side({to, bytes, true, "the destination"});
  if (!wrong.empty()) return report(cudaErrorInvalidValue, "cudaMemset: " + wrong);
  const auto set = [=] {
    const Opened opened;
    std::memset(to, value, bytes);
  };
  return issue(stream, set, [=] { return describe_transfer(IssueKind::kFill, "", bytes); });
}

cudaError_t cudaMemset(void* to, int value, std::size_t bytes) {
  const auto lock = lock_runtime();
  return finish(cudaMemsetAsync(to, value, bytes, nullptr));
}
// NOLINTEND(readability-identifier-naming)

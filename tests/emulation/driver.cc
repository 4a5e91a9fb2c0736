// The driver's virtual memory API: address space is reserved; memory is created in pieces, mapped
// into it and made accessible. Programs look these calls up in libcuda.so.1. The linker redirects
// their dlopen and dlsym to the functions at the end, which emulate that library, cuDNN's
// (cudnn.cc) and NCCL's (nccl.cc).
#include <dlfcn.h>

#include <cstring>
#include <map>

#include "tests/emulation/cudnn.h"
#include "tests/emulation/device.h"
#include "tests/emulation/include/cuda.h"
#include "tests/emulation/memory.h"
#include "tests/emulation/named_calls.h"
#include "tests/emulation/nccl.h"
#include "tests/emulation/stream.h"

using namespace cdt::emulation;  // NOLINT(google-build-using-namespace)

namespace {

// Small, so that there is little space between the end of a reservation and its guard.
constexpr std::size_t kGranularity = 4096;

struct Piece {
  std::size_t bytes = 0;
  bool mapped = false, released = false;
};

struct Driver {
  std::map<CUmemGenericAllocationHandle, Piece> pieces;
  std::map<CUdeviceptr, CUmemGenericAllocationHandle> mapped;
  CUmemGenericAllocationHandle last = 0;
};

Driver& driver() {
  static Driver d;
  return d;
}

// NOLINTNEXTLINE(performance-no-int-to-ptr): an address that came as a number
void* pointer_of(CUdeviceptr p) { return reinterpret_cast<void*>(p); }

CUresult refuse(const std::string& why) {
  report(cudaErrorInvalidValue, "driver: " + why);
  return CUDA_ERROR_INVALID_VALUE;
}

bool whole(std::size_t bytes) { return bytes > 0 && bytes % kGranularity == 0; }

void forget_if_unused(CUmemGenericAllocationHandle handle) {
  const Piece& piece = driver().pieces.at(handle);
  if (piece.mapped || !piece.released) return;
  give_bytes(piece.bytes);
  driver().pieces.erase(handle);
}

}  // namespace

// NOLINTBEGIN(readability-identifier-naming): the toolkit's names
CUresult cuMemGetAllocationGranularity(std::size_t* granularity,
                                       const CUmemAllocationProp* properties,
                                       CUmemAllocationGranularity_flags /*option*/) {
  const auto lock = lock_runtime();
  if (properties->location.id >= device_count()) return CUDA_ERROR_INVALID_DEVICE;
  *granularity = kGranularity;
  return CUDA_SUCCESS;
}

CUresult cuMemAddressReserve(CUdeviceptr* pointer, std::size_t bytes, std::size_t /*alignment*/,
                             CUdeviceptr /*wanted*/, unsigned long long flags) {
  const auto lock = lock_runtime();
  if (!whole(bytes) || flags != 0) {
    return refuse("a reservation of " + std::to_string(bytes) + " bytes");
  }
  *pointer = reinterpret_cast<CUdeviceptr>(reserve_addresses(bytes));
  return *pointer != 0 ? CUDA_SUCCESS : CUDA_ERROR_OUT_OF_MEMORY;
}

CUresult cuMemAddressFree(CUdeviceptr pointer, std::size_t bytes) {
  const auto lock = lock_runtime();
  const auto piece = driver().mapped.lower_bound(pointer);
  if (piece != driver().mapped.end() && piece->first < pointer + bytes) {
    return refuse("a reservation is freed with memory mapped into it");
  }
  flush_all();
  return release(pointer_of(pointer), MemoryKind::kDevice) ? CUDA_SUCCESS
                                                           : refuse("no reservation begins here");
}

CUresult cuMemCreate(CUmemGenericAllocationHandle* handle, std::size_t bytes,
                     const CUmemAllocationProp* properties, unsigned long long /*flags*/) {
  const auto lock = lock_runtime();
  if (!whole(bytes) || properties->type != CU_MEM_ALLOCATION_TYPE_PINNED ||
      properties->location.type != CU_MEM_LOCATION_TYPE_DEVICE) {
    return refuse("a piece of memory of " + std::to_string(bytes) + " bytes");
  }
  if (!take_bytes(bytes)) return CUDA_ERROR_OUT_OF_MEMORY;
  *handle = ++driver().last;
  driver().pieces[*handle] = {bytes, false, false};
  return CUDA_SUCCESS;
}

CUresult cuMemRelease(CUmemGenericAllocationHandle handle) {
  const auto lock = lock_runtime();
  const auto piece = driver().pieces.find(handle);
  if (piece == driver().pieces.end() || piece->second.released) {
    return refuse("no such piece of memory");
  }
  piece->second.released = true;
  forget_if_unused(handle);
  return CUDA_SUCCESS;
}

CUresult cuMemMap(CUdeviceptr pointer, std::size_t bytes, std::size_t offset,
                  CUmemGenericAllocationHandle handle, unsigned long long /*flags*/) {
  const auto lock = lock_runtime();
  const auto piece = driver().pieces.find(handle);
  if (piece == driver().pieces.end() || piece->second.mapped || offset != 0 ||
      bytes != piece->second.bytes) {
    return refuse("a mapping of what is no whole, unmapped piece of memory");
  }
  if (!is_reserved(pointer_of(pointer), bytes)) return refuse("a mapping outside the reservation");
  piece->second.mapped = true;
  driver().mapped[pointer] = handle;
  return CUDA_SUCCESS;
}

CUresult cuMemUnmap(CUdeviceptr pointer, std::size_t bytes) {
  const auto lock = lock_runtime();
  const auto at = driver().mapped.find(pointer);
  if (at == driver().mapped.end() || driver().pieces.at(at->second).bytes != bytes) {
    return refuse("no piece of memory is mapped here");
  }
  flush_all();
  unmap_piece(pointer_of(pointer));
  const CUmemGenericAllocationHandle handle = at->second;
  driver().mapped.erase(at);
  driver().pieces.at(handle).mapped = false;
  forget_if_unused(handle);
  return CUDA_SUCCESS;
}

CUresult cuMemSetAccess(CUdeviceptr pointer, std::size_t bytes, const CUmemAccessDesc* access,
                        std::size_t count) {
  const auto lock = lock_runtime();
  const auto at = driver().mapped.find(pointer);
  if (at == driver().mapped.end() || driver().pieces.at(at->second).bytes != bytes || count != 1 ||
      access->flags != CU_MEM_ACCESS_FLAGS_PROT_READWRITE) {
    return refuse("access to what is no mapped piece of memory");
  }
  return map_piece(pointer_of(pointer), bytes, access->location.id) ? CUDA_SUCCESS
                                                                    : CUDA_ERROR_OUT_OF_MEMORY;
}

extern "C" {
void* __real_dlopen(const char* file, int mode);      // NOLINT(bugprone-reserved-identifier)
void* __real_dlsym(void* library, const char* name);  // NOLINT(bugprone-reserved-identifier)

void* __wrap_dlopen(const char* file, int mode) {  // NOLINT(bugprone-reserved-identifier)
  if (file != nullptr && std::strcmp(file, "libcudnn.so.9") == 0) return open_cudnn();
  if (file != nullptr && std::strcmp(file, "libnccl.so.2") == 0) return open_nccl();
  if (file == nullptr || std::strcmp(file, "libcuda.so.1") != 0) return __real_dlopen(file, mode);
  return device_count() > 0 ? &driver() : nullptr;
}

void* __wrap_dlsym(void* library, const char* name) {  // NOLINT(bugprone-reserved-identifier)
  if (library != nullptr && library == open_cudnn()) return find_in_cudnn(name);
  if (library != nullptr && library == open_nccl()) return find_in_nccl(name);
  if (library != &driver()) return __real_dlsym(library, name);
  return find_call(name, {{"cuMemGetAllocationGranularity", &cuMemGetAllocationGranularity},
                          {"cuMemAddressReserve", &cuMemAddressReserve},
                          {"cuMemAddressFree", &cuMemAddressFree},
                          {"cuMemCreate", &cuMemCreate},
                          {"cuMemRelease", &cuMemRelease},
                          {"cuMemMap", &cuMemMap},
                          {"cuMemUnmap", &cuMemUnmap},
                          {"cuMemSetAccess", &cuMemSetAccess}});
}
}
// NOLINTEND(readability-identifier-naming)

// The CUDA driver's virtual memory management (cuMemAddressReserve, cuMemCreate, cuMemMap). The
// driver is loaded on first use, so that the programs start on machines without one.
#include "engine/cuda/device_memory.h"

#include <cuda.h>
#include <cuda_runtime.h>
#include <dlfcn.h>

#include <algorithm>
#include <string>

#include "engine/error.h"

namespace cdt {
namespace {

/// The functions used from libcuda.
struct Driver {
  decltype(&cuMemGetAllocationGranularity) granularity = nullptr;
  decltype(&cuMemAddressReserve) address_reserve = nullptr;
  decltype(&cuMemAddressFree) address_free = nullptr;
  decltype(&cuMemCreate) create = nullptr;
  decltype(&cuMemRelease) release = nullptr;
  decltype(&cuMemMap) map = nullptr;
  decltype(&cuMemUnmap) unmap = nullptr;
  decltype(&cuMemSetAccess) set_access = nullptr;

  Driver() {
    void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) throw Error("cuda: no driver: libcuda.so.1 is not there");
    const auto find = [library](auto* call, const char* name) {
      *call = reinterpret_cast<std::remove_pointer_t<decltype(call)>>(dlsym(library, name));
      if (*call == nullptr) throw Error(std::string("cuda: the driver has no ") + name);
    };
    find(&granularity, "cuMemGetAllocationGranularity");
    find(&address_reserve, "cuMemAddressReserve");
    find(&address_free, "cuMemAddressFree");
    find(&create, "cuMemCreate");
    find(&release, "cuMemRelease");
    find(&map, "cuMemMap");
    find(&unmap, "cuMemUnmap");
    find(&set_access, "cuMemSetAccess");
  }
};

const Driver& driver() {
  static const Driver found;
  return found;
}

void check(CUresult result, const char* what, std::size_t bytes) {
  if (result == CUDA_SUCCESS) return;
  const std::string size = std::to_string(bytes);
  if (result == CUDA_ERROR_OUT_OF_MEMORY) {
    std::size_t free = 0;
    std::size_t total = 0;
    cudaMemGetInfo(&free, &total);
    throw Error("cuda: out of GPU memory: " + size + " bytes asked for, " + std::to_string(free) +
                " of " + std::to_string(total) + " free; a smaller --batch-size needs less");
  }
  throw Error(std::string("cuda: ") + what + " of " + size + " bytes failed with driver error " +
              std::to_string(static_cast<int>(result)));
}

CUmemAllocationProp properties(int device) {
  CUmemAllocationProp p{};
  p.type = CU_MEM_ALLOCATION_TYPE_PINNED;
  p.location.type = CU_MEM_LOCATION_TYPE_DEVICE;
  p.location.id = device;
  return p;
}

CUdeviceptr address(const float* p) { return reinterpret_cast<CUdeviceptr>(p); }

constexpr std::size_t kLeastPiece = std::size_t{16} << 20U;  // few calls for a growing arena

}  // namespace

DeviceMemory::DeviceMemory(int device) : device_(device) {
  const CUmemAllocationProp p = properties(device);
  check(driver().granularity(&piece_, &p, CU_MEM_ALLOC_GRANULARITY_RECOMMENDED), "a look at pieces",
        0);
}

DeviceMemory::~DeviceMemory() {
  while (!reservations_.empty()) release(reservations_.begin()->first);
}

float* DeviceMemory::reserve(std::size_t bytes) {
  const std::size_t whole = (bytes + piece_ - 1) / piece_ * piece_;
  CUdeviceptr base = 0;
  const CUresult reserved = driver().address_reserve(&base, whole, 0, 0, 0);
  if (reserved == CUDA_ERROR_OUT_OF_MEMORY) return nullptr;
  check(reserved, "a reservation", whole);
  // The driver returns addresses as integers.
  auto* const at = reinterpret_cast<float*>(base);  // NOLINT(performance-no-int-to-ptr)
  reservations_[at].bytes = whole;
  return at;
}

void DeviceMemory::commit(float* base, std::size_t to) {
  Reservation& r = reservations_.at(base);
  if (to <= r.committed) return;
  std::size_t more = std::max(to - r.committed, kLeastPiece);
  more = std::min((more + piece_ - 1) / piece_ * piece_, r.bytes - r.committed);
  const CUmemAllocationProp p = properties(device_);
  CUmemGenericAllocationHandle handle = 0;
  check(driver().create(&handle, more, &p, 0), "an allocation", more);
  const CUdeviceptr at = address(base) + r.committed;
  const CUresult mapped = driver().map(at, more, 0, handle, 0);
  if (mapped != CUDA_SUCCESS) driver().release(handle);
  check(mapped, "a mapping", more);
  r.pieces.push_back(more);
  r.handles.push_back(handle);
  r.committed += more;
  committed_ += more;
  CUmemAccessDesc access{};
  access.location = p.location;
  access.flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE;
  check(driver().set_access(at, more, &access, 1), "the access", more);
}

void DeviceMemory::release(float* base) {
  const auto found = reservations_.find(base);
  if (found == reservations_.end()) return;
  const Reservation& r = found->second;
  CUdeviceptr at = address(base);
  for (std::size_t i = 0; i < r.pieces.size(); ++i) {
    driver().unmap(at, r.pieces[i]);
    driver().release(r.handles[i]);
    at += r.pieces[i];
  }
  driver().address_free(address(base), r.bytes);
  committed_ -= r.committed;
  reservations_.erase(found);
}

}  // namespace cdt

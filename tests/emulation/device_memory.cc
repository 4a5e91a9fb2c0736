// engine/cuda/device_memory.h without the driver: a reservation is memory from the start.
#include "engine/cuda/device_memory.h"

#include <cuda_runtime.h>

#include <algorithm>

#include "engine/cuda/status.h"

namespace cdt {

DeviceMemory::DeviceMemory(int device) : device_(device), piece_(1) {}

DeviceMemory::~DeviceMemory() {
  while (!reservations_.empty()) release(reservations_.begin()->first);
}

float* DeviceMemory::reserve(std::size_t bytes) {
  void* base = nullptr;
  CDT_CUDA(cudaMalloc(&base, bytes));
  reservations_[static_cast<float*>(base)].bytes = bytes;
  return static_cast<float*>(base);
}

void DeviceMemory::commit(float* base, std::size_t to) {
  Reservation& r = reservations_.at(base);
  committed_ += std::max(to, r.committed) - r.committed;
  r.committed = std::max(to, r.committed);
}

void DeviceMemory::release(float* base) {
  const auto found = reservations_.find(base);
  if (found == reservations_.end()) return;
  committed_ -= found->second.committed;
  cudaFree(base);
  reservations_.erase(found);
}

}  // namespace cdt

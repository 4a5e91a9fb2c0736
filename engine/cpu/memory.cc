// Memory: address space from mmap. A page becomes resident when it is first written and stays so
// until release(), so a step pays no page faults after the first.
#include <sys/mman.h>

#include <cstring>
#include <string>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"

namespace cdt {

float* CpuBackend::reserve(std::size_t bytes) {
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (base == MAP_FAILED) {
    throw Error("cpu: cannot reserve " + std::to_string(bytes) +
                " bytes of address space: " + std::strerror(errno));
  }
  madvise(base, bytes, MADV_HUGEPAGE);  // a hint: without huge pages only slower
  return static_cast<float*>(base);
}

void CpuBackend::release(float* base, std::size_t bytes) { munmap(base, bytes); }

void CpuBackend::upload(const Tensor& dst, const float* host) {
  copy(dst, {const_cast<float*>(host), dst.shape});
}

void CpuBackend::download(float* host, const Tensor& src) { copy({host, src.shape}, src); }

void CpuBackend::copy(const Tensor& dst, const Tensor& src) {
  for_ranges(threads_, dst.count(), 16 * kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::memcpy(dst.data + begin, src.data + begin,
                static_cast<std::size_t>(end - begin) * sizeof(float));
  });
}

void CpuBackend::fill(const Tensor& dst, float value) {
  for_ranges(threads_, dst.count(), 16 * kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::fill(dst.data + begin, dst.data + end, value);
  });
}

}  // namespace cdt

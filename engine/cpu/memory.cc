// Memory: address space from mmap. A page becomes resident when it is first written and stays so
// until release(), so a step pays no page faults after the first.
#include <sys/mman.h>

#include <cstring>
#include <new>
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

void CpuBackend::commit(float* /*base*/, std::size_t /*from*/, std::size_t /*to*/) {}

void CpuBackend::upload(const Tensor& dst, const void* host) {
  copy(dst, {static_cast<float*>(const_cast<void*>(host)), dst.shape, dst.dtype});
}

void CpuBackend::download(void* host, const Tensor& src) {
  copy({static_cast<float*>(host), src.shape, src.dtype}, src);
}

void CpuBackend::copy(const Tensor& dst, const Tensor& src) {
  for_ranges(threads_, dst.count(), 16 * kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::memcpy(dst.at(begin), src.at(begin),
                static_cast<std::size_t>((end - begin) * bytes_of(dst.dtype)));
  });
}

void CpuBackend::cast(const Tensor& dst, const Tensor& src) {
  CDT_CHECK(dst.dtype == src.dtype, "the CPU computes in float32");
  copy(dst, src);
}

void CpuBackend::fill(const Tensor& dst, float value) {
  for_ranges(threads_, dst.count(), 16 * kGrain, [&](std::int64_t begin, std::int64_t end) {
    std::fill(dst.data + begin, dst.data + end, value);
  });
}

void* CpuBackend::reserve_host(std::size_t bytes) { return ::operator new(bytes); }

void CpuBackend::release_host(void* base) { ::operator delete(base); }

void CpuBackend::download_later(void* host, const Tensor& src, int /*slot*/) {
  download(host, src);
}

void CpuBackend::wait(int /*slot*/) {}

void CpuBackend::synchronize() {}

void CpuBackend::upload_later(const Tensor& dst, const void* host, int /*slot*/) {
  upload(dst, host);
}

void CpuBackend::wait_upload(int /*slot*/) {}

void CpuBackend::take_upload(const Tensor& dst, const Tensor& src, int /*slot*/) { cast(dst, src); }

void CpuBackend::begin_step(std::uint32_t /*step*/) {}

void CpuBackend::run_recorded(const std::string& /*name*/, const std::vector<Tensor>& /*operands*/,
                              const std::function<void()>& work) {
  work();
}

void CpuBackend::mark(std::int64_t number) {
  const auto index = static_cast<std::size_t>(number);
  if (index >= marks_.size()) marks_.resize(index + 1);
  marks_[index] = std::chrono::steady_clock::now();
}

double CpuBackend::seconds_between(std::int64_t from, std::int64_t to) {
  return std::chrono::duration<double>(marks_[static_cast<std::size_t>(to)] -
                                       marks_[static_cast<std::size_t>(from)])
      .count();
}

}  // namespace cdt

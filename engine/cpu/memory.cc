// CPU memory: address space from mmap. A page becomes usable when it is handed out and resident
// when it is first written, and stays so until release(), so only the first step has page faults.
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <new>
#include <string>

#include "engine/cpu/cpu_backend.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "engine/memory_limit.h"

namespace cdt {

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20U;

std::size_t whole_pages(std::size_t bytes) {
  return (bytes + kHugePage - 1) / kHugePage * kHugePage;
}

}  // namespace

float* CpuBackend::reserve(std::size_t bytes) {
  // One extra huge page, so that the address can be aligned to a huge page.
  const std::size_t size = whole_pages(bytes) + kHugePage;
  void* const mapping = mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapping == MAP_FAILED) return nullptr;
  const std::size_t before =
      (kHugePage - reinterpret_cast<std::uintptr_t>(mapping) % kHugePage) % kHugePage;
  char* const base = static_cast<char*>(mapping) + before;
  if (before > 0) munmap(mapping, before);
  munmap(base + whole_pages(bytes), kHugePage - before);
  madvise(base, whole_pages(bytes), MADV_HUGEPAGE);  // a hint; without huge pages it is only slower
  return reinterpret_cast<float*>(base);
}

void CpuBackend::release(float* base, std::size_t bytes) {
  munmap(base, whole_pages(bytes));
  committed_.erase(base);
}

void CpuBackend::commit(float* base, std::size_t from, std::size_t to) {
  static const MemoryBound limit = least_allowed(memory_bounds());
  from = whole_pages(from);
  to = whole_pages(to);
  if (from == to) return;
  std::size_t taken = 0;
  for (const auto& [other, bytes] : committed_) taken += bytes;
  if (taken + (to - from) > limit.allowed) {
    throw Error("out of memory: the program has taken " + std::to_string(taken) + " of the " +
                std::to_string(limit.allowed) + " bytes that " + limit.name + " allows");
  }
  if (mprotect(reinterpret_cast<char*>(base) + from, to - from, PROT_READ | PROT_WRITE) != 0) {
    throw Error("out of memory: the system gives no more beside the " + std::to_string(taken) +
                " bytes taken (" + std::strerror(errno) + ")");
  }
  committed_[base] = to;
}

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

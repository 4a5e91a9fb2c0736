#include "engine/cpu/cpu_backend.h"

#include <omp.h>

namespace cdt {

CpuBackend::CpuBackend(int threads) : threads_(threads > 0 ? threads : omp_get_max_threads()) {}

float* CpuBackend::partial_sums(std::int64_t count) {
  if (static_cast<std::int64_t>(partial_sums_.size()) < count) {
    partial_sums_.resize(static_cast<std::size_t>(count));
  }
  return partial_sums_.data();
}

std::unique_ptr<Backend> make_cpu_backend(int threads) {
  return std::make_unique<CpuBackend>(threads);
}

}  // namespace cdt

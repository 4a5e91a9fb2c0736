#include "engine/cpu/cpu_backend.h"

#include <new>

#include "engine/cpu/parallel.h"

namespace cdt {

namespace {

constexpr std::align_val_t kWorkAlign{128};

}  // namespace

void WorkArea::Free::operator()(float* floats) const { ::operator delete(floats, kWorkAlign); }

CpuBackend::CpuBackend(int threads)
    : threads_(threads > 0 ? threads : default_threads()),
      work_areas_(static_cast<std::size_t>(threads_)) {}

float* CpuBackend::partial_sums(std::int64_t count) {
  if (static_cast<std::int64_t>(partial_sums_.size()) < count) {
    partial_sums_.resize(static_cast<std::size_t>(count));
  }
  return partial_sums_.data();
}

float* CpuBackend::work_area(int thread) {
  WorkArea& area = work_areas_[static_cast<std::size_t>(thread)];
  if (area.count < work_floats_) {
    area.floats.reset();
    area.count = 0;
    const std::size_t bytes = static_cast<std::size_t>(work_floats_) * sizeof(float);
    area.floats.reset(static_cast<float*>(::operator new(bytes, kWorkAlign)));
    area.count = work_floats_;
  }
  return area.floats.get();
}

std::size_t CpuBackend::work_bytes() const {
  return work_areas_.size() * static_cast<std::size_t>(work_floats_) * sizeof(float);
}

std::unique_ptr<Backend> make_cpu_backend(int threads) {
  return std::make_unique<CpuBackend>(threads);
}

}  // namespace cdt

#include "model/row_cache.h"

#include <algorithm>

#include "engine/error.h"
#include "engine/memory_limit.h"

namespace cdt {

RowCache::RowCache(const Dataset& data, std::int64_t rows, Backend& backend, std::int64_t distinct,
                   std::size_t reserve_bytes)
    : backend_(backend),
      row_(data.bins * data.dna_dim),
      device_at_(static_cast<std::size_t>(rows), -1),
      host_at_(static_cast<std::size_t>(rows), nullptr) {
  const std::size_t free = backend.free_bytes();
  if (free == 0) return;
  std::int64_t on_device = 0;
  if (free > reserve_bytes) {
    const auto bytes = static_cast<std::size_t>(row_ * bytes_of(backend.activations()));
    on_device = std::min(distinct, static_cast<std::int64_t>((free - reserve_bytes) / bytes));
  }
  if (on_device > 0) {
    arena_ = std::make_unique<Arena>(backend, "dna");
    device_ = arena_->tensor({on_device, data.bins, data.dna_dim}, backend.activations());
  }
  reserve_on_host(distinct - on_device);
}

RowCache::~RowCache() {
  if (host_ != nullptr) backend_.release_host(host_);
}

void RowCache::reserve_on_host(std::int64_t rows) {
  const auto bytes = row_ * static_cast<std::int64_t>(sizeof(float));
  const std::uint64_t half = least_free(memory_bounds()) / 2;
  rows = std::min(rows, static_cast<std::int64_t>(half / static_cast<std::uint64_t>(bytes)));
  if (rows <= 0) return;
  try {
    host_ = static_cast<float*>(backend_.reserve_host(static_cast<std::size_t>(rows * bytes)));
    host_capacity_ = rows;
  } catch (const Error&) {
    host_ = nullptr;  // the system refuses: rows are read each time
  }
}

Tensor RowCache::on_device(std::int32_t row) const {
  const std::int64_t at = device_at_[static_cast<std::size_t>(row)];
  return at < 0 ? Tensor() : device_.slice(at, at + 1);
}

void RowCache::keep_on_device(std::int32_t row, const Tensor& values) {
  if (device_.empty() || device_rows_ == device_.shape[0]) return;
  backend_.copy(device_.slice(device_rows_, device_rows_ + 1), values);
  device_at_[static_cast<std::size_t>(row)] = device_rows_++;
}

float* RowCache::next_on_host() {
  const bool device_has_room = !device_.empty() && device_rows_ < device_.shape[0];
  if (device_has_room || host_rows_ == host_capacity_) return nullptr;
  return host_ + row_ * host_rows_++;
}

}  // namespace cdt

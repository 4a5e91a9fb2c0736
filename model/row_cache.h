// Cache of DNA rows that are requested repeatedly. Rows are kept on the device as far as they fit,
// leaving a reserve for the computation, then in pinned host memory, up to half of what is free; so
// each row is read from disk once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "io/dataset/dataset.h"

namespace cdt {

class RowCache {
 public:
  /// rows: of the data set. distinct: how many different ones will be requested again, 0 if none.
  /// reserve_bytes: device memory to leave for everything else. Caches nothing if the device has no
  /// memory of its own.
  RowCache(const Dataset& data, std::int64_t rows, Backend& backend, std::int64_t distinct,
           std::size_t reserve_bytes);
  ~RowCache();
  RowCache(const RowCache&) = delete;
  RowCache& operator=(const RowCache&) = delete;

  /// Returns the row (1, L, dna_dim), in the type of activations; empty if it is not on the device.
  Tensor on_device(std::int32_t row) const;
  /// Copies a new row (1, L, dna_dim) into the device cache if there is room.
  void keep_on_device(std::int32_t row, const Tensor& values);

  /// Returns the row (L, dna_dim) in pinned memory; null if it is not there.
  float* on_host(std::int32_t row) const { return host_at_[static_cast<std::size_t>(row)]; }
  /// Returns pinned memory for one more row, to be filled; null if the device still has room or all
  /// of the pinned memory is in use.
  float* next_on_host();
  /// Registers a row that has been read into the memory of next_on_host().
  void keep_on_host(std::int32_t row, float* values) {
    host_at_[static_cast<std::size_t>(row)] = values;
  }

  std::int64_t rows_on_device() const { return device_rows_; }
  std::int64_t rows_on_host() const { return host_rows_; }

 private:
  void reserve_on_host(std::int64_t rows);

  Backend& backend_;
  std::int64_t row_;  // elements per row
  std::unique_ptr<Arena> arena_;
  Tensor device_;                        // (capacity, L, dna_dim), or empty
  std::int64_t device_rows_ = 0;         // rows in use
  std::vector<std::int64_t> device_at_;  // by row: its row of device_, or -1
  float* host_ = nullptr;                // (host_capacity_, L, dna_dim), or null
  std::int64_t host_capacity_ = 0, host_rows_ = 0;
  std::vector<float*> host_at_;  // by row: its address, or null
};

}  // namespace cdt

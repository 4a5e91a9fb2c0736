// Rows of DNA that are asked for again and again. They stay on the device as far as they fit, with
// a reserve for the computation, then in page-locked memory of the host, up to half of what is free
// there; so that each is read from disk once.
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
  /// distinct: how many different rows will be asked for again, 0 if none. reserve_bytes: device
  /// memory to leave for everything else. Where the device has no memory of its own, nothing is
  /// held.
  RowCache(const Dataset& data, Backend& backend, std::int64_t distinct, std::size_t reserve_bytes);
  ~RowCache();
  RowCache(const RowCache&) = delete;
  RowCache& operator=(const RowCache&) = delete;

  /// (1, L, dna_dim), of the type of activations; empty if the row is not on the device.
  Tensor on_device(std::int32_t row) const;
  /// Copies a row that is not on the device, (1, L, dna_dim), to where it stays, if there is room.
  void keep_on_device(std::int32_t row, const Tensor& values);

  /// (L, dna_dim) in page-locked memory; null if the row is not there.
  float* on_host(std::int32_t row) const { return host_at_[static_cast<std::size_t>(row)]; }
  /// Page-locked memory of one more row, to be filled; null while the device has room, and when all
  /// of it is in use.
  float* next_on_host();
  /// The row has been read into memory of next_on_host().
  void keep_on_host(std::int32_t row, float* values) {
    host_at_[static_cast<std::size_t>(row)] = values;
  }

  std::int64_t rows_on_device() const { return device_rows_; }
  std::int64_t rows_on_host() const { return host_rows_; }

 private:
  void reserve_on_host(std::int64_t rows);

  Backend& backend_;
  std::int64_t row_;  // elements
  std::unique_ptr<Arena> arena_;
  Tensor device_;                        // (capacity, L, dna_dim), or empty
  std::int64_t device_rows_ = 0;         // in use
  std::vector<std::int64_t> device_at_;  // of every enhancer: its row of device_, or -1
  float* host_ = nullptr;                // (host_capacity_, L, dna_dim), or null
  std::int64_t host_capacity_ = 0, host_rows_ = 0;
  std::vector<float*> host_at_;  // of every enhancer: where its row lies, or null
};

}  // namespace cdt

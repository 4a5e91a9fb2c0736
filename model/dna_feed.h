// DNA windows on their way to the device. Rows are read in the background, one request ahead of the
// computation. Beside a GPU several threads read, and rows travel past the running kernels through
// page-locked memory. Rows that will be asked for again stay in a cache (model/row_cache.h).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <future>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "io/dataset/dataset.h"
#include "model/row_cache.h"

namespace cdt {

class DnaFeed {
 public:
  /// batch: most rows of a request. distinct, reserve_bytes: as for RowCache.
  DnaFeed(const Dataset& data, Backend& backend, Arena& lasting, std::int64_t batch,
          std::int64_t distinct = 0, std::size_t reserve_bytes = 0);
  ~DnaFeed();
  DnaFeed(const DnaFeed&) = delete;
  DnaFeed& operator=(const DnaFeed&) = delete;

  /// Begins to read rows of enhancers, at most `batch`; take() before the next start().
  void start(const std::vector<std::int32_t>& rows);
  /// The rows of the last start(): (rows.size(), L, dna_dim), of the type of activations, at the
  /// same address each time, valid until the next take(). InputError on NaN or infinity in a row.
  Tensor take();

  std::int64_t batch() const { return batch_.shape[0]; }
  const RowCache& cache() const { return cache_; }

 private:
  static constexpr int kBuffers = 2;
  /// A place of a request.
  struct Place {
    std::int32_t row;
    std::size_t first;    // place that asks for the same row first
    std::int64_t source;  // in the buffer's sources; -1: on the device already, or not the first
  };
  /// A row of a request that is not on the device yet.
  struct Source {
    std::int32_t row;
    float* host;  // (L, dna_dim), in the buffer or in the cache
    bool read;    // must it be read first
    bool stays;   // read into memory of the cache
  };
  struct Buffer {
    float* host = nullptr;  // (batch, L, dna_dim), page-locked
    Tensor device;          // its copy on the device; empty where that has no memory of its own
    std::vector<Source> sources;
  };

  Source source_of(std::int32_t row, float* in_buffer);
  void read_into(Buffer& buffer, int slot);

  const Dataset& data_;
  Backend& backend_;
  std::int64_t row_;    // elements
  Tensor batch_;        // (batch, L, dna_dim)
  bool device_memory_;  // has the device memory of its own?
  RowCache cache_;
  std::array<Buffer, kBuffers> buffers_;
  int current_ = 0;
  std::vector<Place> request_;
  std::future<void> done_;
};

}  // namespace cdt

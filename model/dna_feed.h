// Feeds DNA windows, those of enhancers or those of genes, to the device. Rows are read in the
// background, one request ahead of the computation. With a GPU, several threads read, and rows are
// copied through pinned memory while kernels run. Rows that will be requested again are kept in a
// cache (model/row_cache.h).
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

/// The windows of a data set that a feed reads: a row for each enhancer, or for each gene.
enum class Windows : std::uint8_t { kOfEnhancers, kOfGenes };

class DnaFeed {
 public:
  /// batch: largest request, in rows. distinct, reserve_bytes: as for RowCache.
  DnaFeed(const Dataset& data, Backend& backend, Arena& lasting, std::int64_t batch,
          std::int64_t distinct = 0, std::size_t reserve_bytes = 0,
          Windows windows = Windows::kOfEnhancers);
  ~DnaFeed();
  DnaFeed(const DnaFeed&) = delete;
  DnaFeed& operator=(const DnaFeed&) = delete;

  /// Starts to read these rows, at most `batch`; call take() before the next start().
  void start(const std::vector<std::int32_t>& rows);
  /// Returns the rows of the last start(): (rows.size(), L, dna_dim), in the type of activations,
  /// always at the same address and valid until the next take(). Throws InputError on NaN or
  /// infinity in a row.
  Tensor take();

  std::int64_t batch() const { return batch_.shape[0]; }
  /// What take() of a full batch returns.
  const Tensor& memory() const { return batch_; }
  const RowCache& cache() const { return cache_; }

 private:
  static constexpr int kBuffers = 2;
  /// One entry of a request.
  struct Place {
    std::int32_t row;
    std::size_t first;    // index of the first entry with the same row
    std::int64_t source;  // in the buffer's sources; -1: on the device already, or not the first
  };
  /// A row of a request that is not on the device yet.
  struct Source {
    std::int32_t row;
    float* host;  // (L, dna_dim), in the buffer or the cache
    bool read;    // true if it must still be read
    bool stays;   // true if it is read into the cache's memory
  };
  struct Buffer {
    float* host = nullptr;  // (batch, L, dna_dim), pinned
    Tensor device;          // its copy on the device; empty if the device uses host memory
    std::vector<Source> sources;
  };

  Source source_of(std::int32_t row, float* in_buffer);
  void read_into(Buffer& buffer, int slot);

  const Dataset& data_;
  void (Dataset::*read_)(std::int32_t row, float* out) const;
  Backend& backend_;
  std::int64_t row_;    // elements per row
  Tensor batch_;        // (batch, L, dna_dim)
  bool device_memory_;  // true if the device has its own memory
  RowCache cache_;
  std::array<Buffer, kBuffers> buffers_;
  int current_ = 0;
  std::vector<Place> request_;
  std::future<void> done_;
};

}  // namespace cdt

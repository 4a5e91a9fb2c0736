// DNA windows on their way to the device. Rows are read in the background, one request ahead of the
// computation. Beside a GPU several threads read, and rows travel past the running kernels through
// page-locked memory. Rows that will be asked for again stay: on the device as far as they fit,
// with a reserve for the computation, then in page-locked memory of the host, up to half of what is
// free there; so that each is read from disk once.
#pragma once

#include <array>
#include <cstdint>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "io/dataset/dataset.h"

namespace cdt {

class DnaFeed {
 public:
  /// batch: most rows of a request. distinct: how many different rows will be asked for again and
  /// again, 0 if each is asked for once. reserve_bytes: device memory to leave for everything else;
  /// rows that come again stay on the device as long as there is more.
  DnaFeed(const Dataset& data, Backend& backend, Arena& lasting, std::int64_t batch,
          std::int64_t distinct = 0, std::size_t reserve_bytes = 0);
  ~DnaFeed();
  DnaFeed(const DnaFeed&) = delete;
  DnaFeed& operator=(const DnaFeed&) = delete;

  /// Begins to read rows of enhancers, at most `batch`; take() before the next start().
  void start(std::vector<std::int32_t> rows);
  /// The rows of the last start(): (rows.size(), L, dna_dim), of the type of activations, at the
  /// same address each time, valid until the next take(). InputError on NaN or infinity in a row.
  Tensor take();

  std::int64_t batch() const { return batch_.shape[0]; }
  /// Different rows that stay on the device so far.
  std::int64_t rows_kept() const { return kept_count_; }
  /// And in page-locked memory of the host.
  std::int64_t rows_locked() const { return locked_count_; }

 private:
  static constexpr int kBuffers = 2;
  /// A row of a request that is not on the device yet.
  struct Source {
    std::size_t position;  // in rows_
    float* host;           // where it stands, in the buffer or where it stays
    bool read;             // must it be read first
    std::int64_t locked;   // its row of locked_, or -1
  };
  struct Buffer {
    float* host = nullptr;  // (batch, L, dna_dim), page-locked
    Tensor device;          // the same on the device; empty where there is no other memory
    std::vector<Source> sources;
  };

  void lock_host_memory(std::int64_t rows);
  Source source_of(std::size_t position, float* in_buffer);
  void read_into(Buffer& buffer, int slot);
  void keep(std::int32_t row, const Tensor& window);
  std::int64_t kept_at(std::int32_t row) const { return kept_at_[static_cast<std::size_t>(row)]; }

  const Dataset& data_;
  Backend& backend_;
  std::int64_t row_;  // elements
  Tensor batch_;      // (batch, L, dna_dim)
  std::int64_t kept_rows_ = 0, kept_count_ = 0;
  std::unique_ptr<Arena> keep_;
  Tensor kept_;                        // (kept_rows_, L, dna_dim), or empty
  std::vector<std::int64_t> kept_at_;  // of every enhancer: its row of kept_, or -1
  float* locked_ = nullptr;            // (locked_rows_, L, dna_dim), or null
  std::int64_t locked_rows_ = 0, locked_count_ = 0;
  std::vector<std::int64_t> locked_at_;  // of every enhancer: its row of locked_, or -1
  std::array<Buffer, kBuffers> buffers_;
  int current_ = 0;
  std::vector<std::int32_t> rows_;
  std::vector<std::size_t> first_;  // of each request: where the same row is asked for first
  std::future<void> done_;
};

}  // namespace cdt

// Estimates the memory of a program before it starts: its own code runs once on a backend that
// computes nothing (make_shape_backend()) while the arenas count bytes. Dimensions as in
// engine/tensor.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/tape.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"

namespace cdt {

/// Memory of a program, in bytes.
struct MemoryPlan {
  std::size_t weights = 0;
  std::size_t gradients = 0;    // of the weights
  std::size_t moments = 0;      // Adam's two moments, and the numbers of an update
  std::size_t data = 0;         // RNA, protein, batches of DNA and their pairs, results
  std::size_t activations = 0;  // the step arena at its peak, including gradients of activations
  std::size_t scratch = 0;      // the scratch arena at its peak
  std::size_t trunks = 0;       // of a validation or a prediction
  std::size_t work = 0;         // work memory of the CPU threads
  std::size_t host = 0;         // DNA read ahead, in pinned memory with a GPU

  /// Bytes of the arena that lasts for the whole run.
  std::size_t lasting() const { return weights + gradients + moments + data; }
  std::size_t total() const { return lasting() + activations + scratch + trunks + work + host; }
  /// Device memory to keep free of the data set, including some for libraries.
  std::size_t device_reserve() const { return total() + (std::size_t{2} << 30U); }
};

/// The arenas and the tape of a program, with shapes instead of values.
class DryRun {
  std::size_t host_ = 0;
  std::unique_ptr<Backend> shapes_;

 public:
  /// Replaces `device`, which must outlive this.
  explicit DryRun(Backend& device);

  Backend& backend() { return *shapes_; }
  /// Bytes allocated in the lasting arena since the last call.
  std::size_t taken();
  /// Host memory reserved so far.
  std::size_t host() const { return host_; }
  /// Adds to `plan` what the arenas and the device needed during steps.
  void add_peaks(MemoryPlan* plan) const;

  Arena lasting, step, scratch, trunks;
  Tape tape;

 private:
  std::size_t before_ = 0;
};

/// An empty data set of these sizes; samples: of the RNA.
Dataset sizes_of(const CdtConfig& config, std::int64_t bins, std::int64_t samples = 0);

}  // namespace cdt

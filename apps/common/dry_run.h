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
  std::size_t apart = 0;        // of all arenas: between tensors, and of arenas within a pass
  std::size_t reserved = 0;     // address space of all arenas

  /// Bytes of the arena that lasts for the whole run.
  std::size_t lasting() const { return weights + gradients + moments + data; }
  /// Bytes that the arenas hold at their peak, all of them written.
  std::size_t arenas() const { return lasting() + activations + scratch + trunks + apart; }
  std::size_t total() const { return arenas() + work + host; }
  /// Device memory to keep free of the data set, including some for libraries.
  std::size_t device_reserve() const { return total() + (std::size_t{2} << 30U); }
};

class CountingBackend;

/// The arenas and the tape of a program, with shapes instead of values.
class DryRun {
  std::size_t host_ = 0;
  std::unique_ptr<Backend> shapes_;
  std::unique_ptr<CountingBackend> counted_;  // shapes_

 public:
  /// Replaces `device`, which must outlive this.
  explicit DryRun(Backend& device);
  ~DryRun();
  DryRun(const DryRun&) = delete;
  DryRun& operator=(const DryRun&) = delete;

  /// Replaces it for all arenas.
  Backend& backend() const;
  /// Bytes allocated in the lasting arena since the last call.
  std::size_t taken();
  /// Host memory reserved so far.
  std::size_t host() const { return host_; }
  /// Adds to `plan`, whose lasting() is complete, what the arenas and the device needed during
  /// steps.
  void add_peaks(MemoryPlan* plan) const;

  Arena lasting, step, scratch, trunks;
  Tape tape;

 private:
  std::size_t before_ = 0;
};

/// An empty data set of these sizes; samples: of the RNA.
Dataset sizes_of(const CdtConfig& config, std::int64_t bins, std::int64_t samples = 0);

}  // namespace cdt

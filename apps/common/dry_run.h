// What a program will hold, before it starts: its own code runs once on a device that computes
// nothing (make_shape_backend()), and the arenas count. Dimensions as in engine/tensor.h.
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

/// In bytes.
struct MemoryPlan {
  std::size_t weights = 0;
  std::size_t gradients = 0;    // of the weights
  std::size_t moments = 0;      // Adam's two, and the numbers of an update
  std::size_t data = 0;         // RNA, protein, batches of DNA and their pairs, results
  std::size_t activations = 0;  // the step arena at its peak, gradients of activations included
  std::size_t scratch = 0;      // the scratch arena at its peak
  std::size_t trunks = 0;       // of a validation or a prediction
  std::size_t work = 0;         // what the threads of a CPU compute in
  std::size_t host = 0;         // DNA read ahead, page-locked beside a GPU

  /// The arena of what lasts.
  std::size_t lasting() const { return weights + gradients + moments + data; }
  std::size_t total() const { return lasting() + activations + scratch + trunks + work + host; }
  /// Memory of a device to keep free of the data set: some for its libraries too.
  std::size_t device_reserve() const { return total() + (std::size_t{2} << 30U); }
};

/// The arenas and the tape of a program, on shapes.
class DryRun {
  std::size_t host_ = 0;
  std::unique_ptr<Backend> shapes_;

 public:
  /// In place of `device`, which must outlive it.
  explicit DryRun(Backend& device);

  Backend& backend() { return *shapes_; }
  /// Bytes taken of the lasting arena since the last call.
  std::size_t taken();
  /// Host memory reserved so far.
  std::size_t host() const { return host_; }
  /// What the arenas and the device took inside steps, into `plan`.
  void add_peaks(MemoryPlan* plan) const;

  Arena lasting, step, scratch, trunks;
  Tape tape;

 private:
  std::size_t before_ = 0;
};

/// A data set of these sizes, without values.
Dataset sizes_of(const CdtConfig& config, std::int64_t bins);

}  // namespace cdt

// What a training step will hold, before it starts: one step of the very model, on a device that
// computes nothing (make_shape_backend()), and what its arenas counted. Dimensions as in
// engine/tensor.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>

#include "apps/train/options.h"
#include "engine/backend.h"
#include "model/cdt.h"
#include "model/config.h"

namespace cdt {

/// In bytes.
struct MemoryPlan {
  std::size_t weights = 0;
  std::size_t gradients = 0;    // of the weights
  std::size_t moments = 0;      // Adam's two, and the numbers of an update
  std::size_t data = 0;         // RNA, protein, a batch of DNA and its pairs, results
  std::size_t activations = 0;  // the step arena at its peak, gradients of activations included
  std::size_t scratch = 0;      // the scratch arena at its peak
  std::size_t trunks = 0;       // of a validation
  std::size_t work = 0;         // what the threads of a CPU compute in
  std::size_t host = 0;         // DNA read ahead, two batches

  /// What stands in the arena that lasts.
  std::size_t lasting() const { return weights + gradients + moments + data; }
  std::size_t total() const { return lasting() + activations + scratch + trunks + work + host; }
  /// Memory of a device to keep free of the data set: some for its libraries too.
  std::size_t device_reserve() const { return total() + (std::size_t{2} << 30U); }
};

/// bins: L. `device` is the one to train on; nothing is computed there.
MemoryPlan plan_memory(const CdtConfig& config, const TrainSettings& settings, std::int64_t bins,
                       Backend& device);

/// The table of --dry-run: module, tensors, parameters; the total; the plan.
void print_model(std::ostream& out, const Cdt& model);
void print_plan(std::ostream& out, const MemoryPlan& plan, std::int64_t bins, std::int64_t batch);

}  // namespace cdt

// What a training step will hold, before it starts: printed by --dry-run and the sizes of the
// arenas. Dimensions as in engine/tensor.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>

#include "model/cdt.h"
#include "model/config.h"

namespace cdt {

struct MemoryPlan {
  std::size_t weights = 0;      // with their gradients: twice this
  std::size_t moments = 0;      // Adam's two
  std::size_t constants = 0;    // RNA, protein, one batch of DNA, trunks of the validation
  std::size_t activations = 0;  // estimate of the step arena at its peak, gradients included
  std::size_t host = 0;         // DNA read ahead, two batches

  /// Capacities of the arenas: what the plan says, with room for rounding, for the estimate being
  /// one, and for what only a GPU holds. Address space, memory only where used.
  std::size_t lasting_capacity() const;
  std::size_t step_capacity() const;
  std::size_t scratch_capacity() const;
  /// Memory of a device to keep free of the data set.
  std::size_t device_reserve() const { return total() + (std::size_t{2} << 30U); }
  std::size_t total() const { return 2 * weights + moments + constants + activations + host; }
};

/// bins: L. batch: B.
MemoryPlan plan_memory(const CdtConfig& config, std::int64_t bins, std::int64_t batch);

/// The table of --dry-run: module, tensors, parameters; the total; the plan.
void print_model(std::ostream& out, const Cdt& model);
void print_plan(std::ostream& out, const MemoryPlan& plan, std::int64_t bins, std::int64_t batch);

}  // namespace cdt

// Memory needed by a training, computed before it starts, and the tables of --dry-run.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <vector>

#include "apps/common/dry_run.h"
#include "apps/common/memory_check.h"
#include "apps/train/options.h"
#include "engine/backend.h"
#include "engine/ranks/communicator.h"
#include "model/cdt.h"
#include "model/config.h"

namespace cdt {

/// Plans one training step and one validation batch. bins: L. `device` is the one to train on;
/// nothing is computed there. samples: of the RNA.
MemoryPlan plan_memory(const CdtConfig& config, const TrainSettings& settings, std::int64_t bins,
                       Backend& device, std::int64_t samples = 0);

/// plan_memory() of a rank's part of batches of this size. Throws as part_of_batch().
MemoryPlan plan_of_rank(const TrainOptions& options, const CdtConfig& config, const Dataset& data,
                        const Communicator& ranks, std::int64_t batch, Backend& device);
/// plan_of_rank() of the run, after plan_that_fits() of apps/common/memory_check.h. bounds: those
/// of the host, among the ranks. Throws InputError if the run cannot fit, naming the batch size
/// that does.
MemoryPlan plan_that_fits(const TrainOptions& options, const CdtConfig& config, const Dataset& data,
                          const Communicator& ranks, const std::vector<MemoryBound>& bounds,
                          Backend& device);

/// Prints the extensions of the model, if any, and the table of --dry-run: module, tensors,
/// parameters and, if some are frozen, how many are trained; the total; the plan.
void print_model(std::ostream& out, const Cdt& model);
void print_plan(std::ostream& out, const MemoryPlan& plan, std::int64_t bins, std::int64_t batch);

}  // namespace cdt

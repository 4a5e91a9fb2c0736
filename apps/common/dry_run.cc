#include "apps/common/dry_run.h"

#include <utility>

#include "engine/backend.h"

namespace cdt {

DryRun::DryRun(Backend& device)
    : shapes_(make_shape_backend(device, &host_)),
      lasting(*shapes_, "lasting"),
      step(*shapes_, "step"),
      scratch(*shapes_, "scratch"),
      trunks(*shapes_, "trunks"),
      tape(*shapes_, step, scratch) {}

std::size_t DryRun::taken() { return lasting.used() - std::exchange(before_, lasting.used()); }

void DryRun::add_peaks(MemoryPlan* plan) const {
  plan->activations = step.peak();
  plan->scratch = scratch.peak();
  plan->trunks = trunks.peak();
  plan->work = shapes_->work_bytes();
}

Dataset sizes_of(const CdtConfig& config, std::int64_t bins, std::int64_t samples) {
  Dataset data;
  data.bins = bins;
  data.dna_dim = config.dna_dim;
  data.rna_dim = config.rna_dim;
  data.protein_dim = config.protein_dim;
  data.genes.resize(static_cast<std::size_t>(config.genes));
  data.samples.resize(static_cast<std::size_t>(samples));
  return data;
}

}  // namespace cdt

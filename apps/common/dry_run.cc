#include "apps/common/dry_run.h"

#include <algorithm>
#include <map>
#include <utility>

#include "engine/forwarding_backend.h"

namespace cdt {

/// Counts the memory of all arenas on a device, in bytes.
class CountingBackend final : public ForwardingBackend {
 public:
  using ForwardingBackend::ForwardingBackend;

  float* reserve(std::size_t bytes) override {
    most_reserved_ = std::max(most_reserved_, reserved_ += bytes);
    return device().reserve(bytes);
  }
  void commit(float* base, std::size_t from, std::size_t to) override {
    of_[base] += to - from;
    most_committed_ = std::max(most_committed_, committed_ += to - from);
  }
  void release(float* base, std::size_t bytes) override {
    reserved_ -= bytes;
    committed_ -= of_[base];
    of_.erase(base);
  }
#define CALL(type, name, parameters, arguments)
#define KERNEL(name, parameters, arguments, work) \
  void name parameters override { device().name arguments; }
#include "engine/backend_functions.inc"

  std::size_t most_reserved() const { return most_reserved_; }
  std::size_t most_committed() const { return most_committed_; }

 private:
  std::size_t reserved_ = 0, most_reserved_ = 0, committed_ = 0, most_committed_ = 0;
  std::map<float*, std::size_t> of_;  // committed, by reservation
};

DryRun::DryRun(Backend& device)
    : shapes_(make_shape_backend(device, &host_)),
      counted_(std::make_unique<CountingBackend>(*shapes_)),
      lasting(*counted_, "lasting"),
      step(*counted_, "step"),
      scratch(*counted_, "scratch"),
      trunks(*counted_, "trunks"),
      tape(*counted_, step, scratch) {}

DryRun::~DryRun() = default;

Backend& DryRun::backend() const { return *counted_; }

std::size_t DryRun::taken() { return lasting.used() - std::exchange(before_, lasting.used()); }

void DryRun::add_peaks(MemoryPlan* plan) const {
  plan->activations = step.peak();
  plan->scratch = scratch.peak();
  plan->trunks = trunks.peak();
  plan->work = shapes_->work_bytes();
  plan->apart = counted_->most_committed() - plan->arenas();
  plan->reserved = counted_->most_reserved();
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

#include "apps/train/memory_plan.h"

#include <algorithm>
#include <iomanip>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "apps/common/model_file.h"

namespace cdt {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

/// Floats a block keeps for backward, per query token: projected queries (and keys and values of
/// self attention), context, both residual sums and both norms, the feed-forward pre-activation.
std::int64_t block_floats(const CdtConfig& c, bool self) {
  const std::int64_t attention = (self ? 4 : 2) * c.hidden + c.heads;
  const bool feed_forward = self || c.variant == Variant::kReleased;
  return attention + (feed_forward ? 4 * c.hidden + c.feed_forward + 4 : c.hidden);
}

std::string mib(std::size_t bytes) { return std::to_string((bytes + kMiB - 1) / kMiB); }

/// "60,093,752"
std::string with_commas(std::int64_t value) {
  const std::string digits = std::to_string(value);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out += ',';
    out += digits[i];
  }
  return out;
}

void print_row(std::ostream& out, const std::string& name, const std::string& second,
               const std::string& third) {
  out << std::left << std::setw(30) << name << std::right << std::setw(9) << second << std::setw(14)
      << third << '\n';
}

}  // namespace

std::size_t MemoryPlan::lasting_capacity() const {
  return 3 * weights + moments + constants + host + 64 * kMiB;
}
std::size_t MemoryPlan::step_capacity() const { return 3 * activations + 256 * kMiB; }
std::size_t MemoryPlan::scratch_capacity() const { return 2 * activations + 1024 * kMiB; }

MemoryPlan plan_memory(const CdtConfig& config, std::int64_t bins, std::int64_t batch) {
  const CdtConfig& c = config;
  const std::int64_t d = c.hidden;
  const std::int64_t dna = batch * bins;
  const std::int64_t genes = batch * c.genes;
  const std::int64_t batch_floats = dna * c.dna_dim;
  std::int64_t kept = 3 * d * dna + d * genes + 4 * d * c.genes;  // projectors
  kept += block_floats(c, true) * (dna * c.dna_layers + genes * (c.rna_layers + c.protein_layers));
  kept += 2 * block_floats(c, false) * genes + 2 * d * (dna + genes);  // keys and values of both
  kept += 5 * d * std::max(genes, dna);                                // gradients under way
  kept += batch * (c.genes * 2 + 3 * c.fusion + 16 * d);               // head
  MemoryPlan plan;
  const auto bytes = [](std::int64_t floats) {
    return static_cast<std::size_t>(floats) * sizeof(float);
  };
  plan.weights = model_bytes(config, false);
  plan.moments = 2 * plan.weights;
  plan.constants = bytes(batch_floats + c.genes * (c.rna_dim + c.protein_dim + 4 * d) + batch);
  plan.activations = bytes(kept);
  plan.host = bytes(2 * batch_floats);
  return plan;
}

void print_model(std::ostream& out, const Cdt& model) {
  struct Module {
    std::string name;
    std::int64_t tensors = 0, parameters = 0;
  };
  std::vector<Module> modules;
  for (const Parameter& parameter : model.parameters()) {
    if (modules.empty() || modules.back().name != parameter.module) {
      modules.push_back({parameter.module});
    }
    ++modules.back().tensors;
    modules.back().parameters += parameter.variable.value.count();
  }
  print_row(out, "module", "tensors", "parameters");
  for (const Module& m : modules) {
    print_row(out, m.name, std::to_string(m.tensors), with_commas(m.parameters));
  }
  print_row(out, "total", std::to_string(model.parameters().size()),
            with_commas(model.parameter_count()));
}

void print_plan(std::ostream& out, const MemoryPlan& plan, std::int64_t bins, std::int64_t batch) {
  out << "\nmemory of a training step, batch " << batch << ", " << bins
      << " bins (MiB, estimate)\n";
  const std::pair<const char*, std::size_t> rows[] = {{"weights", plan.weights},
                                                      {"gradients", plan.weights},
                                                      {"Adam moments", plan.moments},
                                                      {"data on the device", plan.constants},
                                                      {"activations", plan.activations},
                                                      {"DNA read ahead", plan.host},
                                                      {"total", plan.total()}};
  for (const auto& [name, bytes] : rows) print_row(out, name, "", mib(bytes));
}

}  // namespace cdt

#include "apps/train/memory_plan.h"

#include <iomanip>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "apps/train/training_step.h"
#include "apps/train/validate.h"
#include "engine/backend.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

std::string mib(std::size_t bytes) { return std::to_string((bytes + kMiB - 1) / kMiB); }

void print_row(std::ostream& out, const std::string& name, const std::string& second,
               const std::string& third) {
  out << std::left << std::setw(30) << name << std::right << std::setw(9) << second << std::setw(14)
      << third << '\n';
}

}  // namespace

MemoryPlan plan_memory(const CdtConfig& config, const TrainSettings& settings, std::int64_t bins,
                       Backend& device) {
  const std::unique_ptr<Backend> shapes = make_shape_backend(device);
  Arena lasting(*shapes, "lasting"), step(*shapes, "step"), scratch(*shapes, "scratch"),
      trunks(*shapes, "trunks");
  MemoryPlan plan;
  std::size_t before = 0;
  const auto taken = [&] { return lasting.used() - std::exchange(before, lasting.used()); };

  Cdt model(config, *shapes, lasting, true);
  for (const Parameter& parameter : model.parameters()) {
    plan.gradients += static_cast<std::size_t>(parameter.variable.grad.bytes());
  }
  plan.weights = taken() - plan.gradients;
  const std::int64_t batch = settings.batch_size;
  const StepInputs inputs{lasting.tensor({batch, bins, config.dna_dim}, shapes->activations()),
                          lasting.tensor({1, config.genes, config.rna_dim}),
                          lasting.tensor({1, config.genes, config.protein_dim}),
                          lasting.tensor({batch}, Dtype::kInt32), lasting.tensor({batch})};
  const StepResults results(lasting, batch, *shapes);
  const Shape windows{batch, bins, config.dna_dim};
  plan.host = 2 * static_cast<std::size_t>(windows.count()) * sizeof(float);
  if (device.free_bytes() > 0) {  // a device with memory of its own: two batches under way to it
    lasting.tensor(windows);
    lasting.tensor(windows);
  }
  plan.data = taken();
  AdamW optimiser(model.variables(), *shapes, lasting, {});
  plan.moments = taken();

  Tape tape(*shapes, step, scratch);
  training_step(settings, 0, inputs, model, tape, optimiser, results);
  plan_validation(model, tape, trunks, inputs.dna);
  plan.activations = step.peak();
  plan.scratch = scratch.peak();
  plan.trunks = trunks.peak();
  plan.work = shapes->work_bytes();
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
    print_row(out, m.name, std::to_string(m.tensors), format_with_commas(m.parameters));
  }
  print_row(out, "total", std::to_string(model.parameters().size()),
            format_with_commas(model.parameter_count()));
}

void print_plan(std::ostream& out, const MemoryPlan& plan, std::int64_t bins, std::int64_t batch) {
  out << "\nmemory of a training step, batch " << batch << ", " << bins << " bins (MiB)\n";
  const std::pair<const char*, std::size_t> rows[] = {{"weights", plan.weights},
                                                      {"gradients", plan.gradients},
                                                      {"Adam moments", plan.moments},
                                                      {"data on the device", plan.data},
                                                      {"activations", plan.activations},
                                                      {"inside kernels", plan.scratch + plan.work},
                                                      {"validation", plan.trunks},
                                                      {"DNA read ahead", plan.host},
                                                      {"total", plan.total()}};
  for (const auto& [name, bytes] : rows) print_row(out, name, "", mib(bytes));
}

}  // namespace cdt

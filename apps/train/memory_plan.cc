#include "apps/train/memory_plan.h"

#include <iomanip>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "apps/train/parameter_rates.h"
#include "apps/train/patterns.h"
#include "apps/train/ranks.h"
#include "apps/train/step.h"
#include "apps/train/validation.h"
#include "engine/backend.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20U;

std::string mib(std::size_t bytes) { return std::to_string((bytes + kMiB - 1) / kMiB); }

void print_row(std::ostream& out, const std::string& name, const std::string& second,
               const std::string& third, const std::string& fourth = "") {
  out << std::left << std::setw(30) << name << std::right << std::setw(9) << second << std::setw(14)
      << third;
  if (!fourth.empty()) out << std::setw(14) << fourth;
  out << '\n';
}

/// The largest batch size up to `most` whose multiples give `batch`, among multiples of `ranks`; 0
/// if there is none.
std::int64_t divisor_up_to(std::int64_t most, std::int64_t batch, std::int64_t ranks) {
  std::int64_t out = most / ranks * ranks;
  while (out > 0 && batch % out != 0) out -= ranks;
  return out;
}

/// Whether the run repeats or continues another, whose batch size is part of it.
bool keeps_batch(const TrainOptions& options) { return options.resume || !options.verify.empty(); }

/// What to do where `fits` is the largest batch size that fits; 0: none does.
std::string advice(const TrainOptions& options, std::int64_t ranks, std::int64_t fits,
                   const std::string& needed) {
  const TrainSettings& settings = options.settings;
  if (keeps_batch(options)) {
    return "the run keeps its batch size, for which " + needed + " is enough";
  }
  if (fits == 0) {
    return "--batch-size " + std::to_string(ranks) + " does not fit either: it takes " +
           (options.common.model.empty() ? "a smaller model (--hidden) or " : "") + needed;
  }
  const std::int64_t part = divisor_up_to(fits, settings.batch_size, ranks);
  std::string out = "--batch-size " + std::to_string(fits) + " fits";
  if (part == 0) return out;
  out += part == fits ? ", and" : ", and so does --batch-size " + std::to_string(part) + ", which";
  return out + " with --accumulate " +
         std::to_string(settings.batch_size / part * settings.accumulate) +
         " averages gradients over as many pairs";
}

}  // namespace

MemoryPlan plan_memory(const CdtConfig& config, const TrainSettings& settings, std::int64_t bins,
                       Backend& device, std::int64_t samples) {
  DryRun dry(device);
  MemoryPlan plan;
  Cdt model(config, dry.backend(), dry.lasting, false);
  model.make_trainable(dry.lasting, frozen_parameters(settings.freeze, model));
  for (const Parameter& parameter : model.parameters()) {
    plan.gradients += static_cast<std::size_t>(parameter.variable.grad.bytes());
  }
  plan.weights = dry.taken() - plan.gradients;
  const Dataset sizes = sizes_of(config, bins, samples);
  const StepData data(config, sizes, dry.backend(), dry.lasting, settings);
  plan.host = dry.host();
  const StepResults results(dry.lasting, settings.batch_size, dry.backend());
  plan.data = dry.taken();
  AdamW optimiser(model.variables(), dry.backend(), dry.lasting, {}, rate_factors(settings, model));
  plan.moments = dry.taken();

  const Tensor& dna = data.feed.memory();
  training_step(settings, 0, dna, data, model, dry.tape, optimiser, results);
  plan_validation(model, dry.tape, dry.trunks, sizes, dna);
  dry.add_peaks(&plan);
  return plan;
}

MemoryPlan plan_of_rank(const TrainOptions& options, const CdtConfig& config, const Dataset& data,
                        const Communicator& ranks, std::int64_t batch, Backend& device) {
  TrainSettings settings = options.settings;
  settings.batch_size = batch;
  return plan_memory(config, settings_of_part(settings, part_of_batch(ranks, batch)), data.bins,
                     device, data.samples_count());
}

MemoryPlan plan_that_fits(const TrainOptions& options, const CdtConfig& config, const Dataset& data,
                          const Communicator& ranks, const std::vector<MemoryBound>& bounds,
                          Backend& device) {
  const std::int64_t batch = options.settings.batch_size;
  const bool keeps = keeps_batch(options);
  MemoryQuestion question;
  question.option = options.resume ? "--resume" : keeps ? "--verify" : "--batch-size";
  question.subject = "a training step of batch " + std::to_string(batch);
  question.asked = batch;
  question.multiple = keeps ? batch : ranks.size();
  question.plan = [&](std::int64_t size) {
    return plan_of_rank(options, config, data, ranks, size, device);
  };
  question.advice = [&](std::int64_t fits, const std::string& needed) {
    return advice(options, ranks.size(), fits, needed);
  };
  return plan_that_fits(question, bounds, device);
}

void print_model(std::ostream& out, const Cdt& model) {
  struct Module {
    std::string name;
    std::int64_t tensors = 0, parameters = 0, trained = 0;
  };
  const bool some_frozen =
      model.trained_count() > 0 && model.trained_count() < model.parameter_count();
  const auto trained = [&](std::int64_t count) {
    return some_frozen ? format_with_commas(count) : std::string();
  };
  const std::string extensions = extensions_text(model.config());
  if (!extensions.empty()) {
    out << "extensions: " << extensions << kNotInReleased << "\n\n";
  }
  std::vector<Module> modules;
  for (const Parameter& parameter : model.parameters()) {
    if (modules.empty() || modules.back().name != parameter.module) {
      modules.push_back({parameter.module});
    }
    ++modules.back().tensors;
    modules.back().parameters += parameter.variable.value.count();
    if (parameter.trained()) modules.back().trained += parameter.variable.value.count();
  }
  print_row(out, "module", "tensors", "parameters", some_frozen ? "trained" : "");
  for (const Module& m : modules) {
    print_row(out, m.name, std::to_string(m.tensors), format_with_commas(m.parameters),
              trained(m.trained));
  }
  print_row(out, "total", std::to_string(model.parameters().size()),
            format_with_commas(model.parameter_count()), trained(model.trained_count()));
}

void print_plan(std::ostream& out, const MemoryPlan& plan, std::int64_t bins, std::int64_t batch) {
  out << "\nmemory of a training step, batch " << batch << ", " << bins << " bins (MiB)\n";
  const std::pair<const char*, std::size_t> rows[] = {
      {"weights", plan.weights},         {"gradients", plan.gradients},
      {"Adam moments", plan.moments},    {"data on the device", plan.data},
      {"activations", plan.activations}, {"inside kernels", plan.scratch + plan.work},
      {"validation", plan.trunks},       {"between tensors", plan.apart},
      {"DNA read ahead", plan.host},     {"total", plan.total()}};
  for (const auto& [name, bytes] : rows) print_row(out, name, "", mib(bytes));
}

}  // namespace cdt

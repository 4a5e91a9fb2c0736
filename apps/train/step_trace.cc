#include "apps/train/step_trace.h"

#include <algorithm>
#include <utility>

#include "apps/common/dry_run.h"
#include "apps/train/parameter_rates.h"
#include "apps/train/patterns.h"
#include "apps/train/step.h"
#include "engine/error.h"
#include "engine/trace.h"

namespace cdt {
namespace {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;

/// The name of the tensor in `all` that `part` lies in; "" if it lies in none.
std::string name_of(const NamedTensors& all, const Tensor& part) {
  const auto at = reinterpret_cast<std::uintptr_t>(part.data);
  for (const auto& [name, whole] : all) {
    const auto begin = reinterpret_cast<std::uintptr_t>(whole.data);
    if (at >= begin && at < begin + static_cast<std::uintptr_t>(whole.bytes())) return name;
  }
  return "";
}

/// Fills ops and modules from the ops that the tape ran.
class Resolver {
 public:
  Resolver(const NamedTensors& data, const NamedTensors& parameters, StepTrace* trace)
      : data_(data), parameters_(parameters), trace_(*trace) {}

  void add(const Trace::Op& ran) {
    StepTrace::Op op;
    op.name = ran.name;
    op.module = module_of(ran.module);
    op.output = ran.output;
    op.forward = ran.forward;
    op.backward = ran.backward;
    for (const Trace::Input& input : ran.inputs) add_input(input, &op);
    StepTrace::Module& module = trace_.modules[op.module];
    module.ops.push_back(trace_.ops.size());
    if (ran.module != kGeneWindowModule) module.parameters += op.parameter_count;
    module.forward += op.forward;
    module.backward += op.backward;
    for (const StepTrace::Source& source : op.inputs) enter(source, op.module);
    trace_.ops.push_back(std::move(op));
  }

  /// Sets the roles of the inputs of cross-attention.
  void find_roles() {
    for (const StepTrace::Op& op : trace_.ops) {
      if (op.name != "attention") continue;
      set_role(op, 0, StepTrace::kQueries);
      set_role(op, 1, StepTrace::kContext);
    }
  }

 private:
  std::size_t module_of(const std::string& name) {
    CDT_CHECK(!name.empty(), "every op of a training step belongs to a module");
    auto& modules = trace_.modules;
    const auto same = [&](const StepTrace::Module& m) { return m.name == name; };
    const auto found = std::find_if(modules.begin(), modules.end(), same);
    if (found != modules.end()) return static_cast<std::size_t>(found - modules.begin());
    modules.emplace_back().name = name;
    return modules.size() - 1;
  }

  void add_input(const Trace::Input& input, StepTrace::Op* op) {
    const std::string parameter = input.op < 0 ? name_of(parameters_, input.tensor) : "";
    if (!parameter.empty()) {
      op->parameters.push_back(parameter);
      op->parameter_count += input.tensor.count();
      return;
    }
    const std::string data = input.op < 0 ? name_of(data_, input.tensor) : "";
    CDT_CHECK(input.op >= 0 || !data.empty(), "an input of a step has a name");
    op->inputs.push_back({input.op, data, input.tensor});
  }

  void enter(const StepTrace::Source& source, std::size_t module) {
    if (source.op >= 0 && trace_.ops[static_cast<std::size_t>(source.op)].module == module) return;
    auto& entries = trace_.modules[module].entries;
    const auto same = [&](const StepTrace::Entry& e) {
      return e.source.op == source.op && e.source.data == source.data;
    };
    if (std::none_of(entries.begin(), entries.end(), same)) entries.push_back({source, ""});
  }

  // Input i of an attention is a linear map of an input of the module.
  void set_role(const StepTrace::Op& attention, std::size_t i, const char* role) {
    const std::int64_t linear = attention.inputs.at(i).op;
    CDT_CHECK(linear >= 0, "attention reads what an op made");
    const StepTrace::Source& x = trace_.ops[static_cast<std::size_t>(linear)].inputs.at(0);
    for (StepTrace::Entry& entry : trace_.modules[attention.module].entries) {
      if (entry.source.op == x.op) entry.role = role;
    }
  }

  const NamedTensors& data_;
  const NamedTensors& parameters_;
  StepTrace& trace_;
};

}  // namespace

std::int64_t StepTrace::parameters() const {
  std::int64_t sum = 0;
  for (const Module& m : modules) sum += m.parameters;
  return sum;
}

Work StepTrace::forward() const {
  Work sum;
  for (const Module& m : modules) sum += m.forward;
  return sum;
}

Work StepTrace::backward() const {
  Work sum;
  for (const Module& m : modules) sum += m.backward;
  return sum;
}

Work StepTrace::total() const {
  Work sum;
  for (const auto& [key, row] : profile) sum += row.work;
  return sum;
}

const std::string& StepTrace::origin(const Source& source) const {
  if (source.op < 0) return source.data;
  return modules[ops[static_cast<std::size_t>(source.op)].module].name;
}

StepTrace trace_step(const CdtConfig& config, const TrainSettings& settings, std::int64_t bins,
                     Backend& device, std::int64_t samples) {
  const auto backend = make_profiling_backend(make_shape_backend(device));
  Arena lasting(*backend, "lasting"), step(*backend, "step"), scratch(*backend, "scratch");
  Cdt model(config, *backend, lasting, false);
  model.make_trainable(lasting, frozen_parameters(settings.freeze, model));
  const Dataset sizes = sizes_of(config, bins, samples);
  const StepData data(config, sizes, *backend, lasting, settings);
  const StepResults results(lasting, settings.batch_size, *backend);
  AdamW optimiser(model.variables(), *backend, lasting, {}, rate_factors(settings, model));
  const Tensor dna =
      lasting.tensor({settings.batch_size, bins, config.dna_dim}, backend->activations());

  Trace trace(*backend->profiler());
  Tape tape(*backend, step, scratch);
  tape.follow(&trace);
  backend->profiler()->clear();  // of what was prepared
  training_step(settings, 0, dna, data, model, tape, optimiser, results);

  StepTrace out{.config = config,
                .batch = settings.batch_size,
                .bins = bins,
                .device = device.name(),
                .precision = settings.precision,
                .ops = {},
                .modules = {},
                .profile = backend->profiler()->rows()};
  NamedTensors inputs = {{"dna", dna},
                         {"rna", data.rna.values()},
                         {"protein", data.protein},
                         {"genes", data.genes},
                         {"targets", data.targets}};
  if (!data.weights.empty()) inputs.emplace_back("weights", data.weights);
  if (data.places.wanted()) inputs.emplace_back("gene_places", data.places.features());
  if (config.bin_position) inputs.emplace_back("bin_places", model.bin_features());
  if (data.gene_feed) inputs.emplace_back("gene_dna", data.gene_dna());
  NamedTensors parameters;
  for (const Parameter& p : model.parameters()) parameters.emplace_back(p.name, p.variable.value);
  Resolver resolver(inputs, parameters, &out);
  for (const Trace::Op& op : trace.ops()) resolver.add(op);
  resolver.find_roles();
  return out;
}

}  // namespace cdt

#include "apps/common/torch_checkpoint.h"

#include <vector>

#include "engine/optim/adamw.h"
#include "io/format/pt_writer.h"
#include "model/checkpoint.h"

namespace cdt {
namespace {

void add_model(const TorchCheckpoint& checkpoint, PtWriter* out) {
  out->begin_ordered_dict();
  for (const Parameter& parameter : checkpoint.parameters) {
    out->key(parameter.name);
    out->tensor({parameter.name, dims_of(parameter.variable.value.shape), nullptr,
                 [&](float* values) { checkpoint.values(parameter, values); }});
  }
  out->end_ordered_dict(checkpoint.metadata);
}

/// Writes the "state" of torch.optim.AdamW, by index of the parameter.
void add_states(const TorchCheckpoint& checkpoint, PtWriter* out) {
  const OptimiserFile& optimiser = *checkpoint.optimiser;
  const auto steps = static_cast<float>(optimiser.numbers().steps);
  out->begin_dict();
  for (std::size_t i = 0; i < checkpoint.parameters.size(); ++i) {
    const Parameter& parameter = checkpoint.parameters[i];
    out->key(static_cast<std::int64_t>(i));
    out->begin_dict();
    out->key("step");
    out->tensor({"", {}, nullptr, [steps](float* value) { *value = steps; }});
    out->key("exp_avg");
    out->tensor(optimiser.moment_to_write(i, parameter, Moment::kFirst));
    out->key("exp_avg_sq");
    out->tensor(optimiser.moment_to_write(i, parameter, Moment::kSecond));
    out->end_dict();
  }
  out->end_dict();
}

/// Writes its "param_groups", a single group.
void add_groups(const OptimiserNumbers& numbers, std::size_t parameters, PtWriter* out) {
  const AdamWOptions options;
  out->begin_list();
  out->begin_dict();
  out->real("lr", numbers.schedule.lr);
  out->key("betas");
  out->begin_tuple();
  out->real(options.beta1);
  out->real(options.beta2);
  out->end_tuple();
  out->real("eps", options.eps);
  out->real("weight_decay", numbers.weight_decay);
  for (const char* off : {"amsgrad", "maximize", "capturable", "differentiable"}) {
    out->boolean(off, false);
  }
  for (const char* chosen_by_torch : {"foreach", "fused"}) out->none(chosen_by_torch);
  out->boolean("decoupled_weight_decay", true);
  out->key("params");
  out->begin_list();
  for (std::size_t i = 0; i < parameters; ++i) out->integer(static_cast<std::int64_t>(i));
  out->end_list();
  out->end_dict();
  out->end_list();
}

void add_list(const char* key, double value, PtWriter* out) {
  out->key(key);
  out->begin_list();
  out->real(value);
  out->end_list();
}

/// Writes the state of torch.optim.lr_scheduler.ReduceLROnPlateau.
void add_scheduler(const OptimiserNumbers& numbers, PtWriter* out) {
  out->begin_dict();
  const Better better = numbers.schedule.better;
  out->text("mode", better == Better::kHigher ? "max" : "min");
  out->text("threshold_mode", "rel");
  out->real("factor", ReduceLrOnPlateau::kFactor);
  out->real("threshold", ReduceLrOnPlateau::kThreshold);
  out->real("eps", ReduceLrOnPlateau::kEps);
  out->real("mode_worse", worst(better));
  out->real("best", numbers.schedule.best);
  add_list("min_lrs", 0.0, out);
  add_list("_last_lr", numbers.schedule.lr, out);
  out->integer("patience", ReduceLrOnPlateau::kPatience);
  out->integer("num_bad_epochs", numbers.schedule.bad_epochs);
  out->integer("cooldown", 0);
  out->integer("cooldown_counter", 0);
  out->integer("last_epoch", numbers.epochs);
  out->end_dict();
}

void add_stopping(const OptimiserNumbers& numbers, PtWriter* out) {
  const EarlyStopping& stopping = numbers.stopping;
  out->begin_dict();
  if (!numbers.monitor.empty() && numbers.monitor != "pearson") {
    out->text("monitor", numbers.monitor.c_str());
  }
  out->integer("patience", stopping.patience);
  out->real("min_delta", EarlyStopping::kMinDelta);
  out->real("best", stopping.best);
  out->integer("bad_epochs", stopping.bad_epochs);
  out->end_dict();
}

}  // namespace

void write_torch_checkpoint(const std::filesystem::path& path, const TorchCheckpoint& checkpoint) {
  PtWriter out;
  if (checkpoint.optimiser == nullptr) {
    add_model(checkpoint, &out);
    out.write(path);
    return;
  }
  const OptimiserNumbers& numbers = checkpoint.optimiser->numbers();
  out.begin_dict();
  out.key("model_state_dict");
  add_model(checkpoint, &out);
  out.key("optimizer_state_dict");
  out.begin_dict();
  out.key("state");
  add_states(checkpoint, &out);
  out.key("param_groups");
  add_groups(numbers, checkpoint.parameters.size(), &out);
  out.end_dict();
  out.key("scheduler_state_dict");
  add_scheduler(numbers, &out);
  out.key("early_stopping");
  add_stopping(numbers, &out);
  out.end_dict();
  out.write(path);
}

}  // namespace cdt

#include "apps/train/train.h"

#include <iostream>
#include <memory>
#include <optional>
#include <string>

#include "apps/common/interrupt.h"
#include "apps/common/model_file.h"
#include "apps/common/profile_report.h"
#include "apps/common/session.h"
#include "apps/common/version.h"
#include "apps/train/memory_plan.h"
#include "apps/train/options.h"
#include "apps/train/run_folder.h"
#include "apps/train/state.h"
#include "apps/train/trainer.h"
#include "engine/error.h"
#include "io/json.h"
#include "io/path_text.h"
#include "io/safetensors.h"
#include "io/text.h"

namespace cdt {
namespace {

constexpr std::int64_t kReleasedBins = 896;

/// heads and pool-heads only if the user gave them.
ModelOverrides overrides_of(const TrainOptions& options) {
  ModelOverrides overrides;
  if (options.given.count("heads") > 0) overrides.heads = options.settings.heads;
  if (options.given.count("pool-heads") > 0) overrides.pool_heads = options.settings.pool_heads;
  return overrides;
}

/// The model to train: of --model, of the run being resumed (weights_file), or of the options.
CdtConfig choose_config(const std::filesystem::path& weights_file, const Dataset* data,
                        TrainOptions* options) {
  if (weights_file.empty()) return model_config(options->settings, data);
  CdtConfig config = read_model_config(SafetensorsReader(weights_file), overrides_of(*options));
  adopt_model_sizes(config, weights_file, options);
  config.dropout = static_cast<float>(options->settings.dropout);
  if (data != nullptr) check_model_fits(config, *data, weights_file);
  return config;
}

int dry_run(TrainOptions* options) {
  std::optional<Dataset> data;
  if (!options->common.data.empty()) data.emplace(options->common.data);
  const Dataset* known = data ? &*data : nullptr;
  const CdtConfig config = choose_config(options->common.model, known, options);
  const std::int64_t bins = known != nullptr ? known->bins : kReleasedBins;
  const auto backend = make_cpu_backend(1);
  Arena lasting(*backend, "lasting", model_bytes(config, false));
  print_model(std::cout, Cdt(config, *backend, lasting, false));
  const std::int64_t batch = options->settings.batch_size;
  print_plan(std::cout, plan_memory(config, bins, batch), bins, batch);
  return 0;
}

std::string config_json(const TrainOptions& options, const CdtConfig& config) {
  const CommonOptions& common = options.common;
  nlohmann::ordered_json json;
  json["program"] = "cdt-train " + version();
  json["data"] = path_text(common.data);
  json["init"] = path_text(common.model);
  json["device"] = common.device;
  json["threads"] = common.threads;
  json["options"] = nlohmann::ordered_json::parse(settings_json(options.settings));
  json["model"] = nlohmann::ordered_json::parse(model_config_json(config));
  return json.dump(2) + "\n";
}

void print_result(const RunFolder& folder, const TrainState& state) {
  std::cout << "epochs\t" << state.epoch - 1 << (state.stopped ? "\t(stopped early)\n" : "\n")
            << "best epoch\t" << state.best_epoch << '\n'
            << "best validation pearson\t" << format_number(state.best_metric) << '\n'
            << "model\t" << folder.best_model().string() << '\n';
}

std::uint64_t weight_bytes(const Cdt& model) {
  std::uint64_t out = 0;
  for (const Parameter& parameter : model.parameters()) {
    out += static_cast<std::uint64_t>(parameter.variable.value.count()) * sizeof(float);
  }
  return out;
}

int train(TrainOptions* options) {
  const CommonOptions& common = options->common;
  catch_interrupts();
  if (!options->resume) {
    refuse_to_overwrite_inputs(existing_files(common.out, kRunOutput), Inputs(common));
  }
  RunFolder folder(common.out, options->resume, common.overwrite);
  RunFacts facts;
  if (options->resume) {
    facts = read_run_facts(folder.last_state());
    adopt_stored_settings(facts.settings, folder.last_state(), options);
    if (common.data.empty()) options->common.data = path_of_text(facts.data);
    refuse_to_overwrite_inputs(existing_files(common.out, kRunOutput), Inputs(common));
  }
  const Dataset data(common.data);
  if (options->resume) check_same_data(facts, data, folder.last_state());
  const std::filesystem::path weights = options->resume ? folder.last_model() : common.model;
  const CdtConfig config = choose_config(weights, &data, options);
  const std::unique_ptr<Backend> backend = open_backend(common);
  const MemoryPlan plan = plan_memory(config, data.bins, options->settings.batch_size);
  Arena lasting(*backend, "lasting", plan.lasting_capacity());
  Cdt model(config, *backend, lasting, true);
  folder.require_space(weight_bytes(model));
  if (weights.empty()) {
    model.initialise(static_cast<std::uint64_t>(options->settings.seed));
  } else {
    read_parameters(SafetensorsReader(weights), model);
  }
  Trainer trainer(*options, plan, data, *backend, lasting, model);
  if (options->resume) {
    trainer.restore(folder);
    if (facts.device != backend->name() && !common.quiet) {
      std::cerr << "note: the run began on " << facts.device << " and goes on on "
                << backend->name() << "; its last bits may differ\n";
    }
  }
  if (!options->resume) stop_if_interrupted();
  folder.begin(config_json(*options, config));
  if (!options->resume) trainer.save(folder);
  trainer.run(folder);
  print_result(folder, trainer.state());
  report_profile(*backend, folder.path());
  return 0;
}

}  // namespace

int train_main(int argc, char** argv) {
  TrainOptions options;
  int exit_code = 0;
  if (!parse_train_options(argc, argv, &options, &exit_code)) return exit_code;
  return options.dry_run ? dry_run(&options) : train(&options);
}

}  // namespace cdt

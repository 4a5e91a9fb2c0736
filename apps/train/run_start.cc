#include "apps/train/run_start.h"

#include <string>

#include "apps/common/output_folder.h"
#include "apps/common/session.h"
#include "apps/train/state_digest.h"
#include "engine/error.h"
#include "io/dataset/folds.h"
#include "io/format/text.h"
#include "model/checkpoint.h"
#include "model/inputs.h"

namespace cdt {
namespace {

/// Reads the facts of the run being resumed, and its settings into `options`.
RunFacts adopt_run(const RunFolder& folder, TrainOptions* options) {
  RunFacts facts = read_run_facts(folder.last_state());
  adopt_stored_settings(facts.settings, folder.last_state(), options);
  if (options->common.data.empty()) options->common.data = path_of_text(facts.data);
  options->overrides.match_genes = options->overrides.match_genes || facts.match_genes;
  options->init_from = path_of_text(facts.init_from);
  return facts;
}

/// Returns choose_config() of a resumed run after checking that its data, settings and weights
/// belong together.
CdtConfig resumed_config(const RunFolder& folder, const RunFacts& facts, Dataset* data,
                         TrainOptions* options) {
  const auto check_data = [&] { check_same_data(facts, *data, folder.last_state()); };
  if (!options->overrides.match_genes) check_data();
  const std::string settings = settings_json(options->settings);
  const CdtConfig config = choose_config(folder.last_model(), data, options);
  if (options->overrides.match_genes) check_data();
  if (settings_json(options->settings) != settings) {
    throw InputError(folder.last_state().string(), "metadata.settings",
                     "name other sizes than " + folder.last_model().string() + " has");
  }
  return config;
}

}  // namespace

void go_back_to_whole_save(const RunFolder& folder) {
  const std::string damage = damage_in(folder.last());
  if (damage.empty()) return;
  if (!std::filesystem::exists(folder.previous())) {
    throw InputError(damage + "; there is no earlier save to go back to");
  }
  const std::string older = damage_in(folder.previous());
  if (!older.empty()) throw InputError(damage + "; nor can the earlier save be used: " + older);
  const RunMoment moment = read_run_moment(folder.previous() / "state.safetensors");
  folder.step_back();
  warn(damage + "; the run goes on from what was saved before, at epoch " +
       std::to_string(moment.epoch) + " step " + std::to_string(moment.position) +
       ", and the damaged files are in " + (folder.path() / "last.damaged").string());
}

std::unique_ptr<OptimiserFile> adopt_optimiser(TrainOptions* options) {
  if (options->state.empty()) return nullptr;
  std::unique_ptr<OptimiserFile> out = open_optimiser(options->state);
  adopt_optimiser_settings(out->numbers(), options);
  return out;
}

bool scales_given(const TrainOptions& options) {
  return options.given.count("lr-scale") > 0 && !options.resume && options.verify.empty();
}

void keep_inputs(const TrainOptions& options) {
  Inputs inputs(options.common);
  if (!options.resume) {
    inputs.add_file("--init-from", options.init_from);
    inputs.add_file("--init-from-genes", options.init_from_genes);
    inputs.add_file("--state", options.state);
  }
  inputs.add_output("--verify", options.verify, kRunOutput);
  refuse_to_overwrite_inputs(existing_files(options.common.out, kRunOutput), inputs);
}

RunInputs::RunInputs(TrainOptions* options, const RunFolder& folder) : began(start_of(*options)) {
  if (options->resume) {
    facts = adopt_run(folder, options);
    keep_inputs(*options);  // the data set's path is known only now
    if (std::filesystem::exists(folder.path() / "config.json")) {
      began = read_recipe(folder.path()).start;
    }
  } else if (!options->init_from.empty()) {
    warm_start = open_tensor_file(options->init_from);
  }
  data.emplace(open_data(options->common));
  fingerprint.data = digest_of_data(*data);
  use_pairs(pair_use(options->settings), &*data);
  optimiser = adopt_optimiser(options);
  weights = options->resume ? folder.last_model() : options->common.model;
  config = options->resume ? resumed_config(folder, facts, &*data, options)
                           : choose_config(weights, &*data, options);
  name_extensions(config, &fingerprint);
}

}  // namespace cdt

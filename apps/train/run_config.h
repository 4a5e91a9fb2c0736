// What a run is made of: its model's configuration, and config.json and provenance.json, which hold
// all that is needed to run it again.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "apps/train/options.h"
#include "engine/backend.h"
#include "io/dataset/dataset.h"
#include "model/config.h"
#include "model/fingerprint.h"

namespace cdt {

/// Configuration of the model to train, from --model, from the run being resumed (weights_file), or
/// from the options. The data set is fitted to a stored model. Comes after the settings of --state
/// are adopted, because it checks that the settings of a new run go together.
CdtConfig choose_config(const std::filesystem::path& weights_file, Dataset* data,
                        TrainOptions* options);

/// The pairs of the data set that a run with these settings uses.
PairUse pair_use(const TrainSettings& settings);

/// The options of a run that say where its weights came from.
struct RunStart {
  std::filesystem::path model, state, init_from, init_from_genes;
  std::vector<std::string> init_from_except;
  bool match_genes = false, other_inputs = false;
};

/// What config.json records.
struct RunRecipe {
  std::filesystem::path data;  // as given
  std::string data_digest;     // digest_of_data(); "" in old runs
  RunStart start;
  std::string device;   // as given
  std::string options;  // settings_json()
};

RunStart start_of(const TrainOptions& options);
/// Sets the options that start_of() reads.
void start_as(const RunStart& start, TrainOptions* options);

/// Content of config.json. start: of this run when it began; data_digest: digest_of_data().
std::string config_json(const TrainOptions& options, const RunStart& start, const CdtConfig& config,
                        const std::string& data_digest);
/// Reads config.json of a run. Throws InputError if it is missing or damaged.
RunRecipe read_recipe(const std::filesystem::path& run);

/// Content of provenance.json. If the run is resumed, the provenance of its earlier parts is kept
/// as far as it is of other code or another machine. fingerprint: of the data, and of the weights
/// that the run was started from, if they come from a file.
std::string run_provenance(const TrainOptions& options, const Fingerprint& fingerprint,
                           const Backend& backend, int ranks);

}  // namespace cdt

// The command line of cdt-train. Every number that enters the computation is one row of a table, so
// parsing, config.json and the comparison on --resume cannot disagree about what there is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/optimiser_file.h"
#include "io/dataset/dataset.h"
#include "model/checkpoint.h"
#include "model/config.h"

namespace cdt {

/// What a run computes; defaults are the released training (docs/paper-vs-code.md).
struct TrainSettings {
  std::int64_t epochs = 50;
  std::int64_t batch_size = 8;
  double lr = 1e-4;
  double weight_decay = 1e-5;
  double dropout = 0.3;
  double huber_delta = 1.0;
  double grad_clip = 1.0;  // 0: none
  std::int64_t patience = 10;
  std::string steer_by = "seen";       // validation pairs whose r steers: seen or all
  std::string init_head = "released";  // last layer at the start: released or mean
  std::string init = "seed";           // initial weights: seed or torch:SEED
  std::string order = "seed";          // of the pairs in an epoch: seed, torch:SEED or torch
  std::string variant = "released";
  std::int64_t hidden = 768, heads = 8, pool_heads = 4, feed_forward = 3072, fusion = 1536;
  std::int64_t dna_layers = 2, rna_layers = 1, protein_layers = 1;
  std::int64_t seed = 0;
  std::string precision = "fp32";
  std::vector<std::string> freeze{};  // patterns of what stays as it is (patterns.h)
};

/// TrainSettings::order that goes on with the generator of init torch:SEED.
inline constexpr const char* kGlobalOrder = "torch";

struct TrainOptions {
  CommonOptions common;
  TrainSettings settings;
  ModelOverrides overrides;  // heads and pool heads only if they were given
  // A file to begin from (model/warm_start.h), and a list of its genes; or empty.
  std::filesystem::path init_from, init_from_genes;
  std::vector<std::string> init_from_except;  // patterns of what begins anew all the same
  std::filesystem::path state;                // whose optimiser is continued, of the model
  bool resume = false;
  bool dry_run = false;
  std::set<std::string> given;  // names of settings on the command line or in --config
};

/// False if there is nothing left to do, as Cli::parse(). InputError for what needs no file to
/// check.
bool parse_train_options(int argc, char** argv, TrainOptions* options);

/// The model a run without --model trains; data null: the released sizes of the data.
CdtConfig model_config(const TrainSettings& settings, const Dataset* data);

/// Takes the sizes of a stored model. InputError if a size was given and differs.
void adopt_model_sizes(const CdtConfig& config, const std::filesystem::path& model_file,
                       TrainOptions* options);

/// Takes the dropout a stored model was trained with, unless --dropout was given. Says which one
/// holds where it makes a difference.
void adopt_model_dropout(const CdtConfig& config, const std::filesystem::path& model_file,
                         TrainOptions* options);

/// Takes the learning rate and the weight decay that an optimiser had, unless they were given. Says
/// so where that makes a difference.
void adopt_optimiser_settings(const OptimiserNumbers& numbers, TrainOptions* options);

/// The settings as one JSON object, keys as the long options. Those that are newer than the format
/// are left out where they are what runs had before.
std::string settings_json(const TrainSettings& settings);

/// Takes the settings of the run being resumed from that JSON; one that it lacks, because it began
/// before there was the setting, is what that run had. InputError naming the option if one
/// was given and differs, only --epochs may, and for a value the command line would refuse.
void adopt_stored_settings(const std::string& json, const std::filesystem::path& source,
                           TrainOptions* options);

}  // namespace cdt

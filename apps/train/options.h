// The command line of cdt-train. Every setting that enters the computation is one row of a table
// (settings.h), which parsing, config.json and the comparison on --resume all share.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "apps/common/cli.h"
#include "apps/common/optimiser_file.h"
#include "io/dataset/dataset.h"
#include "model/checkpoint.h"
#include "model/config.h"

namespace cdt {

/// Settings of a run; the defaults are those of the released training (docs/paper-vs-code.md).
struct TrainSettings {
  std::int64_t epochs = 50;
  std::int64_t max_steps = 0;  // optimiser steps in all; 0 for no limit
  std::int64_t batch_size = 8;
  std::int64_t accumulate = 1;  // batches per optimiser step
  double lr = 1e-4;
  std::string schedule = "plateau";  // of the learning rate: plateau, cosine or linear
  std::int64_t warmup_steps = 0;
  double final_lr_share = 0.0;  // of lr, at the end of cosine or linear
  double weight_decay = 1e-5;
  std::string no_decay = "none";  // parameters without weight decay: none or biases-and-norms
  double dropout = 0.3;
  double mask_bins = 0.0;                // probability of a DNA bin of a training sample to be zero
  double feature_dropout = 0.0;          // of the values of DNA bins
  double huber_delta = 1.0;              // in units of what label_transform makes of effects
  std::string label_transform = "none";  // none, scale, clip or rank (target_transform.h)
  std::string pair_weights = "none";     // of the loss: none or se (pair_weights.h)
  double clip_share = 0.01;              // of the training effects, clipped at each end
  double grad_clip = 1.0;                // 0 for none
  std::int64_t patience = 10;
  std::string monitor = "pearson";  // what steers: pearson, loss or auprc
  // Pairs of a smaller effect are positive; -infinity: those of label 1.
  double positive_below = -std::numeric_limits<double>::infinity();
  std::string steer_by = "seen";       // validation pairs that steer: seen or all
  std::string epoch_controls = "all";  // of a validation: all or none
  std::string init_head = "released";  // last layer at the start: released or mean
  std::string init = "seed";           // initial weights: seed or torch:SEED
  std::string order = "seed";          // order of pairs: seed, torch:SEED or torch
  std::string variant = "released";
  std::string readout = "column";      // column or gene
  std::string bin_position = "none";   // none or distance
  std::string gene_position = "none";  // none or distance
  std::string gene_window = "none";    // none or dna_gene
  std::int64_t hidden = 768, heads = 8, pool_heads = 4, feed_forward = 3072, fusion = 1536;
  std::int64_t dna_layers = 2, rna_layers = 1, protein_layers = 1;
  std::int64_t fold = 0;   // of the data set that tests; 0: its splits
  double train_share = 1;  // of the training loci
  std::int64_t seed = 0;
  std::string precision = "fp32";
  std::vector<std::string> freeze{};    // patterns of the parameters that stay fixed (patterns.h)
  std::vector<std::string> lr_scale{};  // PATTERN=FACTOR of their learning rates

  /// "seen" or "all": with the gene readout all, since no output is a gene's own.
  std::string steering_pairs() const { return readout == "gene" ? "all" : steer_by; }
  /// Pairs per optimiser step.
  std::int64_t step_pairs() const { return batch_size * accumulate; }
  /// Whether the learning rate falls over the steps of the run, so that it depends on their number.
  bool decays() const { return schedule != "plateau"; }
};

/// Values of TrainSettings::monitor other than pearson.
inline constexpr const char* kMonitorLoss = "loss";
inline constexpr const char* kMonitorAuprc = "auprc";

/// Value of TrainSettings::epoch_controls that leaves them out.
inline constexpr const char* kNoEpochControls = "none";

/// Value of TrainSettings::bin_position and gene_position other than none.
inline constexpr const char* kByDistance = "distance";
/// Value of TrainSettings::gene_window other than none.
inline constexpr const char* kDnaGene = "dna_gene";
/// Values of TrainSettings::schedule other than plateau.
inline constexpr const char* kCosine = "cosine";
inline constexpr const char* kLinear = "linear";

/// Values of TrainSettings::label_transform other than none.
inline constexpr const char* kScaleLabels = "scale";
inline constexpr const char* kClipLabels = "clip";
inline constexpr const char* kRankLabels = "rank";

/// Value of TrainSettings::pair_weights that uses standard errors.
inline constexpr const char* kWeightsBySe = "se";

/// Value of TrainSettings::no_decay that leaves decay to the matrices of linear maps.
inline constexpr const char* kNoDecayVectors = "biases-and-norms";

/// Value of TrainSettings::order that continues the generator of init torch:SEED.
inline constexpr const char* kGlobalOrder = "torch";

struct TrainOptions {
  CommonOptions common;
  TrainSettings settings;
  ModelOverrides overrides;  // heads and pool heads only if given
  // File for a warm start (model/warm_start.h), and a list of its genes; may be empty.
  std::filesystem::path init_from, init_from_genes;
  std::vector<std::string> init_from_except;  // patterns of what is reinitialised anyway
  std::filesystem::path state;                // file of an optimiser to continue
  std::filesystem::path verify;               // run to run again
  bool resume = false;
  double save_every = 10.0;       // minutes between saves within an epoch; 0: none
  bool save_every_given = false;  // else it is longer where saves are slow (save_clock.h)
  bool check_numerics = false;    // look at every value of a training step
  bool dry_run = false;
  bool trace = false;                 // in place of what a dry run prints
  std::string trace_format = "text";  // text, json or svg
  std::set<std::string> given;        // names of settings on the command line or in --config
};

/// Parses the command line; false if there is nothing left to do, as in Cli::parse(). Throws
/// InputError for every mistake that can be found without reading a file.
bool parse_train_options(int argc, char** argv, TrainOptions* options);

/// Throws InputError for settings that do not go together, among them a given one that changes
/// nothing. Parsing does so for a run that adopts none from --model or --state; others are checked
/// when they have.
void check_combined(const TrainOptions& options);

/// Configuration of the model that a run without --model trains; if data is null, with the released
/// sizes of the data.
CdtConfig model_config(const TrainSettings& settings, const Dataset* data);

/// Adopts the sizes of a stored model. Throws InputError if a size was given and differs.
void adopt_model_sizes(const CdtConfig& config, const std::filesystem::path& model_file,
                       TrainOptions* options);

/// Adopts the dropout that a stored model was trained with, unless --dropout was given. Prints
/// which one is used if it makes a difference.
void adopt_model_dropout(const CdtConfig& config, const std::filesystem::path& model_file,
                         TrainOptions* options);

/// Adopts the learning rate and weight decay of an optimiser unless they were given. Prints them if
/// it makes a difference.
void adopt_optimiser_settings(const OptimiserNumbers& numbers, TrainOptions* options);

/// The settings as one JSON object, with long options as keys. Settings newer than the format are
/// left out if they have the value of older runs.
std::string settings_json(const TrainSettings& settings);

/// Adopts the settings of the run being resumed from that JSON; a setting that did not exist when
/// the run began has the value that such runs had. Throws InputError naming the option if one was
/// given and differs (only --epochs may), and for a value that the command line would refuse.
void adopt_stored_settings(const std::string& json, const std::filesystem::path& source,
                           TrainOptions* options);

}  // namespace cdt

// state.safetensors: everything a run needs beside its weights to go on bit for bit. Counters and
// settings are strings of the metadata, doubles in shortest round-trip form; the tensors are Adam's
// moments "m.NAME" and "v.NAME" and what the running epoch has predicted. There is no generator
// state: shuffles and dropout masks are functions of seed, epoch and step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/optim/adamw.h"
#include "engine/optim/schedule.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"

namespace cdt {

struct TrainState {
  std::int64_t first_epoch = 1;  // of this run; more if it went on from an optimiser's state
  std::int64_t epoch = 1;        // running epoch
  std::int64_t position = 0;  // steps of it done; equal to the steps of an epoch: validation next
  std::int64_t global_step = 0;  // optimiser updates so far
  ReduceLrOnPlateau schedule;
  EarlyStopping stopping;
  bool stopped = false;  // early stopping ended the run
  double best_metric = -std::numeric_limits<double>::infinity();
  std::int64_t best_epoch = 0;  // 0: no epoch finished yet
  // weights_digest() of RUN/model.safetensors; "" while there is none, and of the one that this
  // replaces: a kill between the writing of last/ and of the best model leaves the older file.
  std::string best_weights, older_best_weights;
  // The running epoch: sum of its batch losses, training-mode predictions and their targets.
  double loss_sum = 0.0;
  std::vector<float> predictions, targets;
};

/// Key of the DNA in a fingerprint: DnaCheck's digest, once the pass is done.
inline constexpr const char* kDnaPart = "dna";

/// What a data set is, part by part ("pairs" -> digest), to refuse resuming on other data; without
/// the DNA, which takes a while to read (DnaCheck).
std::map<std::string, std::string> data_fingerprint(const Dataset& data);

/// Fixed facts of a run, stored with every state.
struct RunFacts {
  std::string settings;                            // JSON
  std::string data;                                // path of the data set as given, path_text()
  std::string device;                              // backend that computed
  std::map<std::string, std::string> fingerprint;  // data_fingerprint(), and "dna" once it is known
  bool match_genes = false;                        // genes were brought into a model's order
  std::string init_from{};                         // path of --init-from, path_text(); or ""

  /// The digest of the DNA, or "".
  std::string dna() const;
};

/// weights: weights_digest() of the model, whose file lies beside.
void save_state(const std::filesystem::path& file, const TrainState& state, const RunFacts& facts,
                const std::string& weights, const Cdt& model, const AdamW& optimiser,
                Backend& backend);

/// The facts alone; InputError if the file is no state of ours.
RunFacts read_run_facts(const std::filesystem::path& file);

/// What a state must fit to be loaded.
struct StateFrame {
  std::int64_t steps = 0;  // of an epoch
  std::int64_t batch = 0;  // pairs of a step
  std::int64_t patience = 0;
  std::string weights;  // weights_digest() of the model file beside it
};

/// Counters into `state`, moments into `optimiser`. InputError where they do not fit the frame or
/// each other.
void load_state(const std::filesystem::path& file, const StateFrame& frame, TrainState* state,
                const Cdt& model, AdamW* optimiser, Backend& backend);

/// InputError naming the first part in which the data differ from those of the run; of the DNA see
/// DnaCheck.
void check_same_data(const RunFacts& facts, const Dataset& data,
                     const std::filesystem::path& state_file);

}  // namespace cdt

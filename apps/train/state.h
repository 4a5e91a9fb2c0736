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
#include "io/dataset.h"
#include "model/cdt.h"

namespace cdt {

struct TrainState {
  std::int64_t epoch = 1;     // running epoch, from 1
  std::int64_t position = 0;  // steps of it done; equal to the steps of an epoch: validation next
  std::int64_t global_step = 0;  // optimiser updates so far
  ReduceLrOnPlateau schedule;
  EarlyStopping stopping;
  bool stopped = false;  // early stopping ended the run
  double best_metric = -std::numeric_limits<double>::infinity();
  std::int64_t best_epoch = 0;  // 0: no epoch finished yet
  // The running epoch: sum of its batch losses, training-mode predictions and their targets.
  double loss_sum = 0.0;
  std::vector<float> predictions, targets;
};

/// What a data set is, part by part ("pairs" -> hash), to refuse resuming on other data. DNA is
/// hashed by size and eight rows spread over the file, the rest whole.
std::map<std::string, std::string> data_fingerprint(const Dataset& data);

/// Fixed facts of a run, stored with every state.
struct RunFacts {
  std::string settings;                            // JSON
  std::string data;                                // path of the data set as given, path_text()
  std::string device;                              // backend that computed
  std::map<std::string, std::string> fingerprint;  // data_fingerprint()
};

void save_state(const std::filesystem::path& file, const TrainState& state, const RunFacts& facts,
                const Cdt& model, const AdamW& optimiser, Backend& backend);

/// The facts alone; InputError if the file is no state of ours.
RunFacts read_run_facts(const std::filesystem::path& file);

/// Counters into `state`, moments into `optimiser`. steps: steps of an epoch, batch: pairs of a
/// step; InputError where the counters do not fit them or each other.
void load_state(const std::filesystem::path& file, std::int64_t steps, std::int64_t batch,
                TrainState* state, const Cdt& model, AdamW* optimiser, Backend& backend);

/// InputError naming the first part in which the data differ from those of the run.
void check_same_data(const RunFacts& facts, const Dataset& data,
                     const std::filesystem::path& state_file);

}  // namespace cdt

// state.safetensors: all that a run needs besides its weights to continue bit for bit. Counters and
// settings are strings in the metadata, doubles in shortest round-trip form; the tensors are Adam's
// moments "m.NAME" and "v.NAME" and the predictions of the current epoch. No generator state is
// stored: shuffles and dropout masks are functions of seed, epoch and step.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/optim/adamw.h"
#include "engine/optim/schedule.h"
#include "io/dataset/dataset.h"
#include "io/format/tensor_file.h"
#include "model/parameters.h"

namespace cdt {

/// Optimiser steps by epoch: as many as there are whole steps in the training pairs, until the run
/// reaches its limit.
struct StepPlan {
  std::int64_t per_epoch = 0;
  std::int64_t most = 0;  // in all (--max-steps); 0 for no limit

  /// Steps of all epochs before this one (counting from 1).
  std::int64_t before(std::int64_t epoch) const {
    const std::int64_t steps = (epoch - 1) * per_epoch;
    return most == 0 ? steps : std::min(most, steps);
  }
  std::int64_t in(std::int64_t epoch) const { return before(epoch + 1) - before(epoch); }
};

struct TrainState {
  std::int64_t first_epoch = 1;  // of this run; above 1 if it continued an optimiser's state
  std::int64_t epoch = 1;        // current epoch
  std::int64_t position = 0;     // its finished steps; if all are, validation is next
  std::int64_t global_step = 0;  // optimiser updates so far
  ReduceLrOnPlateau schedule;
  EarlyStopping stopping;
  bool stopped = false;  // early stopping ended the run
  double best_metric = -std::numeric_limits<double>::infinity();
  std::int64_t best_epoch = 0;  // 0 until an epoch is finished
  // weights_digest() of RUN/model.safetensors ("" if there is none), and of its predecessor: a kill
  // after writing last/ and before writing the best model leaves the older file.
  std::string best_weights, older_best_weights;
  // Current epoch: sum of its batch losses, training-mode predictions and their targets.
  double loss_sum = 0.0;
  std::vector<float> predictions, targets;

  /// Before the first epoch: says which values of the steering number are better.
  void aim_at(Better better) {
    schedule.better = stopping.better = better;
    schedule.best = stopping.best = best_metric = worst(better);
  }
};

/// Key of the DNA in a fingerprint; its value is DnaCheck's digest, once all rows are read.
inline constexpr const char* kDnaPart = "dna";

/// Parts of a data set that only some runs read.
struct OptionalParts {
  bool labels = false, errors = false;  // labels and standard errors of the pairs
  bool gene_starts = false;             // where the genes start
};

/// Digests of the parts of a data set ("pairs" -> digest), so that resuming on other data is
/// refused. Excludes the DNA, which takes a while to read (DnaCheck), and the optional parts that
/// are not asked for.
std::map<std::string, std::string> data_fingerprint(const Dataset& data,
                                                    const OptionalParts& wanted = {});

/// Facts of a run that never change, stored with every state.
struct RunFacts {
  std::string settings;                            // JSON
  std::string data;                                // data set's path as given, path_text()
  std::string device;                              // backend that ran it
  std::map<std::string, std::string> fingerprint;  // data_fingerprint(), later also "dna"
  bool match_genes = false;                        // genes were reordered to match a model
  std::string init_from{};                         // path of --init-from, path_text(); or ""

  /// Digest of the DNA, or "".
  std::string dna() const;
};

/// The model file in the folder of a state.
struct SavedModel {
  std::string weights;  // weights_digest()
  std::string file;     // digest_of_file()
};

/// Writes the state with the moments of those `parameters` that are trained. Throws NotFinite
/// naming a moment that is.
void save_state(const std::filesystem::path& file, const TrainState& state, const RunFacts& facts,
                const SavedModel& beside, const std::deque<Parameter>& parameters,
                const AdamW& optimiser, Backend& backend);

/// Whether the file is a state of an older version, which held no digests (state_digest.h).
bool is_without_digests(const TensorFile& state);

/// The moment of a run at which a state was saved.
struct RunMoment {
  std::int64_t epoch = 1;
  std::int64_t position = 0;  // finished steps of the epoch
  std::int64_t first_epoch = 1;
};
/// Reads only that; throws as read_run_facts().
RunMoment read_run_moment(const std::filesystem::path& file);

/// Reads only the facts; throws InputError if the file is not one of our states.
RunFacts read_run_facts(const std::filesystem::path& file);

/// What a state must match to be loaded.
struct StateFrame {
  StepPlan steps;
  std::int64_t batch = 0;  // pairs per step
  std::int64_t patience = 0;
  std::string weights;  // weights_digest() of the model file in the same folder
  Better better = Better::kHigher;
};

/// Loads counters into `state` and moments into `optimiser`. Throws InputError if they do not match
/// the frame or each other.
void load_state(const std::filesystem::path& file, const StateFrame& frame, TrainState* state,
                const std::deque<Parameter>& parameters, AdamW* optimiser, Backend& backend);

/// Throws InputError naming the first part in which the data differ from the run's data; for the
/// DNA see DnaCheck.
void check_same_data(const RunFacts& facts, const Dataset& data,
                     const std::filesystem::path& state_file);

}  // namespace cdt

// The loop of the released training: an epoch trains on shuffled full batches, validates, moves the
// schedule, keeps the best model by the validation Pearson that steers and may stop
// (docs/paper-vs-code.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "apps/common/dry_run.h"
#include "apps/common/optimiser_file.h"
#include "apps/common/progress.h"
#include "apps/train/dna_check.h"
#include "apps/train/epoch_order.h"
#include "apps/train/options.h"
#include "apps/train/run_folder.h"
#include "apps/train/state.h"
#include "apps/train/step.h"
#include "apps/train/validation.h"
#include "engine/error.h"
#include "engine/optim/adamw.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"
#include "model/stats/statistics.h"

namespace cdt {

class Trainer {
 public:
  /// The arena `lasting` is that of the model; `dna` reads the rows of `data`. InputError if the
  /// data set has no validation pairs or fewer training pairs than one batch.
  Trainer(const TrainOptions& options, const MemoryPlan& plan, const Dataset& data, DnaCheck& dna,
          Backend& backend, Arena& lasting, Cdt& model);

  /// Reads RUN/last; weights: the digest of its model, which was loaded. InputError if it does not
  /// fit the data set or the model, or the best model or metrics.jsonl do not fit it.
  void restore(const RunFolder& folder, const std::string& weights);
  /// Begins where an optimiser stands, at the epoch after those it has done: its moments, schedule
  /// and early stopping. InputError if its updates are no whole number of this run's epochs, if no
  /// epoch is left, or as OptimiserFile::moment().
  void go_on_from(const OptimiserFile& optimiser);
  /// Trains until the last epoch or early stopping. Error "interrupted ..." after a signal, with
  /// the state saved; Error naming epoch, step and pairs at a loss or gradient that is not finite;
  /// InputError at a bad row of DNA, wherever in the epoch it would be asked for.
  void run(const RunFolder& folder);

  const TrainState& state() const { return state_; }
  const ValidationParts& validation() const { return parts_; }
  /// The arenas of a step and of a validation.
  const Arena& step_arena() const { return step_arena_; }
  const Arena& scratch() const { return scratch_; }
  const Arena& trunks() const { return trunks_; }
  /// Writes RUN/last. Where the rows of DNA are still to be compared with those the run began with,
  /// it waits for that first; Error "interrupted ..." if a signal arrives meanwhile.
  void save(const RunFolder& folder);

 private:
  std::vector<Pair> batch_pairs(const std::vector<std::int32_t>& order, std::int64_t step) const;
  void train_epoch(const RunFolder& folder);
  /// Starts a step; its results arrive through settle().
  void train_step(const std::vector<Pair>& batch, const Tensor& dna);
  /// Takes results into the state until only the last `ahead` steps are under way.
  void settle(std::size_t ahead);
  /// Nothing after a signal.
  std::optional<ControlPasses> validate();
  void finish_epoch(const RunFolder& folder, const ComparedValidation& validation);
  void stop_if_interrupted(const RunFolder& folder);
  /// What `work`, which reads DNA, returns. Where it fails, on a bad row or a file that cannot be
  /// read, RUN/last is written first: what was trained until here saw none of it.
  template <class Work>
  auto keep_trained(const RunFolder& folder, const Work& work) {
    try {
      return work();
    } catch (const Error&) {
      settle(0);
      if (!dna_.compares()) write_last(folder);
      throw;
    }
  }
  /// Takes what the pass over the DNA has found, once it is done.
  void look_at_dna(Progress* progress);
  /// After a training that was shorter than the pass over the DNA.
  void finish_dna(const RunFolder& folder);
  void write_last(const RunFolder& folder);
  std::string progress_note() const;
  /// After the first steps: how long an epoch and the run will take.
  void say_pace(Progress* progress);
  /// The best model is the one that the state says it is; written anew where a kill came between.
  void check_best_model(const RunFolder& folder) const;
  [[noreturn]] void fail_not_finite(const char* what, double value, const std::vector<Pair>& batch);
  std::string metrics_line(const Metrics& train, const ValidationMetrics& val, double train_loss,
                           double val_loss, double lr, bool best,
                           const ComparedValidation& validation) const;

  const TrainOptions& options_;
  const TrainSettings& settings_;
  const Dataset& data_;
  DnaCheck& dna_;
  Backend& backend_;
  Cdt& model_;
  std::vector<Pair> train_, val_;
  ValidationParts parts_;   // of val_
  std::int64_t steps_ = 0;  // of an epoch
  EpochOrders orders_;
  RunFacts facts_;
  std::map<std::string, std::string> inputs_;  // what every model file says of the data
  StepData device_;
  AdamW optimiser_;
  Arena step_arena_, scratch_, trunks_;
  Tape tape_;
  StepResults results_;
  ValidationControls validation_;
  TrainState state_;
  std::chrono::steady_clock::time_point epoch_start_;
  bool said_pace_ = false;
  std::int64_t samples_here_ = 0;  // of the running epoch, trained by this process
};

}  // namespace cdt

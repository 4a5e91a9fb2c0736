// Training loop of the released code: each epoch trains on shuffled full batches, validates,
// updates the learning-rate schedule, keeps the model with the best steering number (monitor.h),
// and may stop early (docs/paper-vs-code.md).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "apps/common/dry_run.h"
#include "apps/common/optimiser_file.h"
#include "apps/common/progress.h"
#include "apps/train/dna_check.h"
#include "apps/train/epoch_order.h"
#include "apps/train/loss_watch.h"
#include "apps/train/monitor.h"
#include "apps/train/numerics_check.h"
#include "apps/train/options.h"
#include "apps/train/pair_weights.h"
#include "apps/train/ranks.h"
#include "apps/train/run_folder.h"
#include "apps/train/save_clock.h"
#include "apps/train/state.h"
#include "apps/train/step.h"
#include "apps/train/target_transform.h"
#include "apps/train/validation.h"
#include "engine/error.h"
#include "engine/optim/adamw.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"
#include "model/stats/statistics.h"

namespace cdt {

class Trainer {
 public:
  /// `lasting` is the arena of the model; `dna` reads the rows of `data`; `ranks` share the
  /// batches. Throws InputError if the data set has no validation pairs or fewer training pairs
  /// than one batch, or as part_of_batch().
  Trainer(const TrainOptions& options, const MemoryPlan& plan, const Dataset& data, DnaCheck& dna,
          Communicator& ranks, Backend& backend, Arena& lasting, Cdt& model);

  /// Connects the devices of the ranks, if they move gradients by themselves; every rank calls it,
  /// at most once, before run(). Throws as Backend::device_ranks().
  void join_devices();
  /// Reads RUN/last; weights: digest of its model, which is already loaded. Throws InputError if it
  /// does not match the data set or the model, or if the best model or metrics.jsonl do not match
  /// it.
  void restore(const RunFolder& folder, const std::string& weights);
  /// Continues an optimiser at the epoch after those it has done, with its moments, schedule and
  /// early stopping. Throws InputError if its updates are not a whole number of this run's epochs,
  /// if no epoch is left, and as OptimiserFile::moment().
  void go_on_from(const OptimiserFile& optimiser);
  /// Trains until the last epoch, the last step or early stopping; `until`: only until that moment,
  /// whose state is saved. Throws Error "interrupted ..." after a signal,
  /// with the state saved; Error naming epoch, step and pairs at a loss or gradient that is not
  /// finite; InputError at a bad row of DNA, even before training reaches it.
  /// With several ranks, rank 0 writes; the folders of the others do not.
  void run(const RunFolder& folder, const std::optional<RunMoment>& until = {});

  const TrainState& state() const { return state_; }
  const ValidationParts& validation() const { return parts_; }
  const Monitor& monitor() const { return monitor_; }
  const TargetTransform& targets() const { return targets_; }
  /// The learning rate of the next step.
  double next_rate() const { return rate_of(state_.global_step); }
  /// Whether --max-steps ended the run.
  bool used_up_steps() const {
    return plan_.in(state_.epoch) == 0 && state_.global_step == plan_.most;
  }
  /// Arenas of a step and of a validation.
  const Arena& step_arena() const { return step_arena_; }
  const Arena& scratch() const { return scratch_; }
  const Arena& trunks() const { return trunks_; }
  /// Writes RUN/last. If the rows of DNA are still being compared with the original ones, waits for
  /// that first; throws Error "interrupted ..." if a signal arrives meanwhile.
  void save(const RunFolder& folder);

 private:
  /// The learning rate of a step of this epoch, counted from 0 over the whole run.
  double rate_of(std::int64_t step) const { return state_.schedule.lr * rates_.factor(step); }
  std::vector<Pair> batch_pairs(const std::vector<std::int32_t>& order, std::int64_t batch) const;
  /// Those of a batch that this rank computes.
  std::vector<Pair> own_part(const std::vector<Pair>& batch) const;
  /// Trains the first `steps` steps of the epoch, except those already done.
  void train_epoch(const RunFolder& folder, std::int64_t steps);
  /// Starts a batch (dna: of this rank's part), and after the last one of a step its update;
  /// settle() receives its results.
  void train_batch(const std::vector<Pair>& whole, const Tensor& dna);
  /// Moves results into the state, step by step, until only the last `ahead` batches are pending.
  void settle(std::size_t ahead);
  /// Adds the finished step whose batches are in part_ to the state.
  void count_step();
  /// What a validation predicted: without --epoch-controls only a PredictionTable.
  using ValidationPasses = std::variant<PredictionTable, ControlPasses>;
  /// Runs a validation; returns nothing after a signal.
  std::optional<ValidationPasses> validate(const RunFolder& folder);
  /// Compares the predictions of a validation, which are in the unit of outputs.
  ComparedValidation compared(const ValidationPasses& passes) const;
  void finish_epoch(const RunFolder& folder, const ComparedValidation& validation);
  /// Whether a signal ends the run here; on all ranks at the same step.
  bool interrupted_here() const;
  void stop_if_interrupted(const RunFolder& folder);
  /// Whether it is time to save, or a signal has asked for it.
  bool wants_save() const;
  /// Writes RUN/last if it is time, on all ranks at the same step. If that fails, warns, and tries
  /// again the next time.
  void save_if_wanted(const RunFolder& folder, Progress* progress = nullptr);
  /// Throws Error unless all ranks have the same weights.
  void expect_same_weights();
  /// Returns the result of `work`, which reads DNA. If that fails, on a bad row or an unreadable
  /// file, RUN/last is written first: training so far did not use the bad data.
  template <class Work>
  auto keep_trained(const RunFolder& folder, const Work& work) {
    try {
      return work();
    } catch (const Error&) {
      // Other ranks do not know of it, and cannot finish the step without this one.
      if (ranks_.size() == 1) settle(0);
      if (ranks_.size() == 1 && !dna_.compares()) write_last(folder);
      throw;
    }
  }
  /// Takes the result of the pass over the DNA, if it is finished.
  void look_at_dna(Progress* progress);
  /// Waits for the pass over the DNA if training was shorter.
  void finish_dna(const RunFolder& folder);
  /// Whether the pass over the DNA is finished, after waiting for it; false after a signal.
  bool wait_for_dna(bool quiet);
  /// On rank 0, writes RUN/last. Throws Error, and leaves RUN/last, if a weight is not finite.
  void write_last(const RunFolder& folder);
  /// Writes model and state into a folder.
  void write_to(const std::filesystem::path& into);
  /// "epoch 2 step 17"
  std::string moment_text() const;
  std::string progress_note() const;
  /// What an epoch's line says of the number that steers, unless that is r.
  std::string steering_note(double steering) const;
  /// Prints, after the first steps, how long an epoch and the run will take.
  void say_pace(Progress* progress);
  /// Checks that the best model is the one that the state names; rewrites it if a kill prevented
  /// its writing.
  void check_best_model(const RunFolder& folder) const;
  /// Starts the kernels of a batch, of which `running` batches of the same step are before it.
  void start_batch(const Tensor& dna, std::uint32_t draw, std::int64_t running);
  /// Runs work through Backend::run_recorded(), or as it is if every value is looked at.
  void run_step(const std::string& name, const std::vector<Tensor>& operands,
                const std::function<void()>& work);
  [[noreturn]] void fail_not_finite(const char* what, double value, const std::vector<Pair>& batch);
  /// "epoch 1 step 5: WHAT; pairs ...; the loss grew ...".
  std::string failed_step(const std::string& what, const std::vector<Pair>& batch) const;
  std::string metrics_line(const Metrics& train, const ValidationMetrics& val, double steering,
                           double train_loss, double val_loss, double lr, bool best,
                           const ComparedValidation& validation) const;

  const TrainOptions& options_;
  const TrainSettings& settings_;
  const Dataset& data_;
  DnaCheck& dna_;
  Communicator& ranks_;
  Backend& backend_;
  Cdt& model_;
  std::vector<Pair> train_, val_;
  TargetTransform targets_;
  PairWeights weights_;
  ValidationParts parts_;  // partition of val_
  Monitor monitor_;
  StepPlan plan_;
  StepSchedule rates_;
  EpochOrders orders_;
  RunFacts facts_;
  std::map<std::string, std::string> inputs_;  // what every model file records about the data
  BatchPart batch_part_;
  TrainSettings part_settings_;  // those of the run, with the batch size of the part
  StepData device_;
  AdamW optimiser_;
  Arena step_arena_, scratch_, trunks_;
  Tape tape_;
  StepResults results_;
  std::unique_ptr<Communicator> device_ranks_;  // null: ranks_ also sum
  std::optional<GradientSum> sum_;              // with several ranks
  std::vector<StepResult> part_;  // of the batches of the running step that are finished
  ValidationControls validation_;
  TrainState state_;
  std::chrono::steady_clock::time_point epoch_start_;
  bool said_pace_ = false;
  bool rank_interrupted_ = false;          // a signal has reached some rank
  std::optional<NumericsCheck> numerics_;  // with --check-numerics
  LossWatch losses_;
  SaveClock save_clock_;
  bool rank_wants_save_ = false;   // some rank wants_save()
  std::int64_t saved_step_ = -1;   // the global step of the last save
  std::int64_t samples_here_ = 0;  // trained by this process in the current epoch
};

}  // namespace cdt

// Forward passes for an evaluation and its controls: the model as it is, the model with gene
// embeddings permuted at random, and the model with one mean window instead of all DNA. DNA
// shuffled between enhancers needs no pass of its own, because the first pass predicts every gene
// from every window; except with gene positions or with RNA of samples, which stay those of the
// pair while its DNA is replaced.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "apps/common/dry_run.h"
#include "apps/common/predictions.h"
#include "apps/common/session.h"
#include "apps/evaluation/pass_tasks.h"

namespace cdt {

/// A model in eval mode whose parameters require no gradient, and what its passes run on.
struct PassPlace {
  Cdt& model;
  Tape& tape;
  Arena& constants;  // reset; holds trunks and outputs
  DnaFeed& feed;
  const Dataset& data;
  DnaFeed* gene_feed = nullptr;       // only for a model with gene windows
  std::vector<std::int32_t> genes{};  // those whose windows are read
  Communicator* ranks = nullptr;      // share control_passes() and plain_passes(); null: no others

  /// For a model with gene windows: only the genes of `pairs` will be asked about.
  void read_windows_of(DnaFeed* windows, const std::vector<Pair>& pairs);
};

/// Receives the predictions (contexts, G) of one task; the passes end if it returns false.
using TaskReceiver = std::function<bool(const PassTask& task, std::span<const float> rows)>;

/// Runs some of tasks_of() `contexts`, in order; false if `receive` or go_on() was, which is called
/// while windows of genes are read. window: mean_window() in host memory, needed by a task of the
/// round kMeanRound only; seed: of the permutations.
bool run_passes(const PassPlace& place, const std::vector<Context>& contexts, const Rounds& rounds,
                std::span<const PassTask> tasks, std::span<const float> window, std::uint64_t seed,
                const TaskReceiver& receive, const std::function<bool()>& go_on);

/// Runs all passes: at most three or, where predictions depend on more than DNA, 3 + kPlacedDraws
/// times as many as there are contexts. window, seed: as for run_passes(). Returns nothing if
/// go_on(contexts done, counting all rounds) returns false.
std::optional<ControlPasses> control_passes(const PassPlace& place,
                                            const std::vector<Context>& contexts,
                                            std::span<const float> window, std::uint64_t seed,
                                            const std::function<bool(std::int64_t done)>& go_on);

/// Runs the first of these passes alone: the predictions of the model as it is.
std::optional<PredictionTable> plain_passes(const PassPlace& place,
                                            const std::vector<Context>& contexts,
                                            const std::function<bool(std::int64_t done)>& go_on);

/// Runs what control_passes() computes for a batch of windows and for the mean window, with any
/// values, for memory plans. sizes: sizes_of() the model and its windows.
void plan_passes(Cdt& model, Tape& tape, Arena& constants, const Dataset& sizes, const Tensor& dna);

/// Memory of a prediction with its controls, `batch` enhancers of L bins per pass.
MemoryPlan plan_prediction(const CdtConfig& config, std::int64_t batch, std::int64_t bins,
                           Backend& device);

/// Predictions of each pair under each control.
struct ControlPredictions {
  std::vector<std::vector<float>> shuffled_dna;  // by draw; empty with fewer than two enhancers
  std::vector<float> mean_dna, shuffled_genes;
};
inline constexpr std::int64_t kControlDraws = 20;

/// Extracts the controls of these pairs. draws: of DNA shuffled among the enhancers of these pairs
/// only, none keeping its own, since predictions for other enhancers say nothing about these. With
/// gene positions or samples instead the kPlacedDraws of the passes, shuffled among all their
/// enhancers.
/// Throws Error if a prediction is not finite.
ControlPredictions control_predictions(const ControlPasses& passes, const std::vector<Pair>& pairs,
                                       std::int64_t draws, std::uint64_t seed);
/// Returns control_predictions() of any choice of pairs, for evaluate().
using ControlSource = std::function<ControlPredictions(const std::vector<Pair>&)>;

}  // namespace cdt

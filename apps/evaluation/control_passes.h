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

namespace cdt {

struct ControlPasses {
  PredictionTable real;
  PredictionTable shuffled_genes;  // rows of RNA and of protein, each permuted at random
  PredictionTable mean_dna;        // the same window for all contexts
  /// Only with gene positions or samples, by draw: each context with another enhancer's DNA and its
  /// own places and RNA.
  std::vector<PredictionTable> placed;
};
inline constexpr std::int64_t kPlacedDraws = 3;
/// How often control_passes() passes over the contexts.
std::int64_t passes_per_context(const CdtConfig& config, const Dataset& data);

/// A model in eval mode whose parameters require no gradient, and what its passes run on.
struct PassPlace {
  Cdt& model;
  Tape& tape;
  Arena& constants;  // reset; holds trunks and outputs
  DnaFeed& feed;
  const Dataset& data;
  Communicator* ranks = nullptr;      // as in PredictionPass
  DnaFeed* gene_feed = nullptr;       // only for a model with gene windows
  std::vector<std::int32_t> genes{};  // those whose windows are read

  /// For a model with gene windows: only the genes of `pairs` will be asked about.
  void read_windows_of(DnaFeed* windows, const std::vector<Pair>& pairs);
};

/// Runs all passes: at most passes_per_context() times as many as there are contexts, and one more.
/// window: mean_window() in host memory; seed: of the permutations. Returns nothing if
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

/// Predictions of a program that predicts a split once, with their controls.
struct Predicted {
  std::vector<float> predictions;  // one per pair, in their order
  ControlSource controls;          // empty if there are none
};

struct PredictSettings {
  std::int64_t batch = 4;     // contexts per pass
  bool with_controls = true;  // passes_per_context() instead of one
  std::uint64_t seed = 0;     // of the controls
  bool quiet = false;         // if set, no progress line
};

/// Predicts the pairs. Throws Error naming the pair if a prediction is not finite.
Predicted predict_once(Inference& inference, const std::vector<Pair>& pairs,
                       const PredictSettings& settings);

}  // namespace cdt

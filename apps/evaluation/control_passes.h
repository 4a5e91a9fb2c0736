// The forward passes behind an evaluation and its controls: the model as it is, with the genes'
// embeddings dealt out at random, and with one mean window in place of all DNA. DNA shuffled
// between enhancers needs no pass of its own: the first one predicts every gene from every window.
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
  PredictionTable shuffled_genes;  // rows of RNA and of protein each in an order drawn at random
  std::vector<float> mean_dna;     // (G)
};

/// A model in eval mode, whose parameters want no gradient, and where its passes run.
struct PassPlace {
  Cdt& model;
  Tape& tape;
  Arena& constants;  // reset; of trunks and outputs
  DnaFeed& feed;
  const Dataset& data;
};

/// window: mean_window(), host memory; seed: of the order of genes. Twice as many passes as
/// enhancers, and one. Nothing if go_on(enhancers done, both times counted) says no.
std::optional<ControlPasses> control_passes(const PassPlace& place,
                                            const std::vector<std::int32_t>& enhancers,
                                            std::span<const float> window, std::uint64_t seed,
                                            const std::function<bool(std::int64_t done)>& go_on);

/// A batch of windows and the mean window as control_passes() computes them, whatever they hold,
/// for plans of memory.
void plan_passes(Cdt& model, Tape& tape, Arena& constants, const Tensor& dna);

/// The memory of a prediction with its controls, `batch` enhancers of L bins a pass.
MemoryPlan plan_prediction(const CdtConfig& config, std::int64_t batch, std::int64_t bins,
                           Backend& device);

/// One prediction per pair under each control.
struct ControlPredictions {
  std::vector<std::vector<float>> shuffled_dna;  // by draw; none with fewer than two enhancers
  std::vector<float> mean_dna, shuffled_genes;
};
inline constexpr std::int64_t kControlDraws = 20;

/// draws: of DNA shuffled between the enhancers of these pairs, no one keeping its own: what a
/// model knows of other enhancers is no measure for these. Error if a prediction is not finite.
ControlPredictions control_predictions(const ControlPasses& passes, const std::vector<Pair>& pairs,
                                       std::int64_t draws, std::uint64_t seed);
/// control_predictions() of any choice of pairs: what evaluate() asks for.
using ControlSource = std::function<ControlPredictions(const std::vector<Pair>&)>;

/// The predictions of a program that predicts a split once, with their controls.
struct Predicted {
  std::vector<float> predictions;  // one per pair, in their order
  ControlSource controls;          // empty without controls
};

struct PredictSettings {
  std::int64_t batch = 4;     // enhancers per pass
  bool with_controls = true;  // which take as long again
  std::uint64_t seed = 0;     // of the controls
  bool quiet = false;         // no progress line
};

/// Throws Error naming the pair if a prediction is not finite.
Predicted predict_once(Inference& inference, const std::vector<Pair>& pairs,
                       const PredictSettings& settings);

}  // namespace cdt

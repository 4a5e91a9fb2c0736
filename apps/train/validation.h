// The validation after an epoch: its metrics, the r that steers, and the same model on inputs
// without information beside the strongest baseline.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "apps/evaluation/control_passes.h"
#include "apps/evaluation/controls.h"
#include "engine/arena.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"
#include "model/stats/statistics.h"

namespace cdt {

/// Of an epoch; of fewer than three seen or unseen pairs all but n is NaN.
struct ValidationMetrics {
  Metrics all, seen, unseen;
  double steering_r = 0;  // moves the schedule, chooses the best model, stops early
};

/// The val pairs by whether train has pairs of their gene. The model has an output per gene; that
/// of a gene without training pairs stays about as it was drawn, so what it predicts says nothing
/// of the training and moves the correlation over all pairs at random.
class ValidationParts {
 public:
  /// steer_by: "seen" or "all" (--steer-by). val may be empty.
  ValidationParts(const std::vector<Pair>& train, const std::vector<Pair>& val,
                  const std::string& steer_by);

  std::int64_t unseen_pairs() const { return unseen_pairs_; }
  std::int64_t unseen_genes() const { return unseen_genes_; }
  /// Pairs of genes without training pairs do not steer. False if there are none of them, or fewer
  /// than three others.
  bool leaves_out_unseen() const { return leaves_out_unseen_; }
  /// Effects of the pairs that steer.
  std::vector<float> steering_effects() const;
  /// predictions: one for each pair of val, which is not empty.
  ValidationMetrics measure(const std::vector<float>& predictions) const;

 private:
  /// Those of all val's values that belong to seen or to unseen pairs.
  std::vector<float> part(const std::vector<float>& values, bool seen) const;
  Metrics measure_part(const std::vector<float>& predictions, bool seen) const;

  std::vector<float> effects_;  // by pair of val
  std::vector<bool> seen_;      // train has pairs of its gene
  std::int64_t unseen_pairs_ = 0, unseen_genes_ = 0;
  bool leaves_out_unseen_ = false;
};

/// The fields of metrics.jsonl beside those over all pairs.
nlohmann::ordered_json seen_and_unseen_json(const ValidationMetrics& metrics);

/// One validation beside that of the model with its DNA or its genes' embeddings shuffled or
/// averaged away, and beside the strongest baseline (apps/evaluation).
struct ComparedValidation {
  std::vector<float> predictions;  // one per val pair
  Controls controls;
  Estimate gain;  // r minus that of the strongest baseline; NaN where one has none

  /// "DNA shuffled r 0.37, DNA averaged r 0.38, 0.012 above the gene mean, ", for a line of text.
  std::string note(const std::string& baseline) const;
};

class ValidationControls {
 public:
  /// seed: of the controls. The data set has train and val pairs and outlives this.
  ValidationControls(const Dataset& data, std::uint64_t seed);

  /// The mean window (L, dna_dim) of the val pairs' enhancers, read at the first call; empty if
  /// go_on(), asked between rows, says no.
  const std::vector<float>& window(const std::function<bool()>& go_on);
  const std::vector<std::int32_t>& enhancers() const { return enhancers_; }
  std::uint64_t seed() const { return seed_; }
  /// Label of the strongest baseline on the val pairs.
  const std::string& baseline() const { return baseline_label_; }

  ComparedValidation compare(const ControlPasses& passes) const;

 private:
  const Dataset& data_;
  std::uint64_t seed_;
  std::vector<Pair> pairs_;
  std::vector<std::int32_t> enhancers_, loci_;  // distinct; of each pair
  std::vector<float> window_;
  std::string baseline_label_;
  std::vector<std::vector<float>> baseline_;  // one: its predictions
  double baseline_pearson_ = 0;               // NaN: none has an r
};

/// control_passes() between epochs. Nothing if go_on(), asked after each batch, says no.
std::optional<ControlPasses> validation_passes(const PassPlace& place,
                                               const std::vector<std::int32_t>& enhancers,
                                               std::span<const float> window, std::uint64_t seed,
                                               const std::function<bool()>& go_on);

/// plan_passes() between epochs.
void plan_validation(Cdt& model, Tape& tape, Arena& constants, const Tensor& dna);

/// Unweighted mean over batches of `batch` consecutive pairs of each batch's mean Huber loss, so a
/// short last batch counts like a full one, as in the reference.
double epoch_loss(const std::vector<float>& prediction, const std::vector<Pair>& pairs,
                  std::int64_t batch, double delta);

}  // namespace cdt

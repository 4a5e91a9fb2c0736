// The validation after an epoch: its metrics, the pairs that steer training, controls with
// uninformative inputs, and the strongest baseline.
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
#include "model/checkpoint.h"
#include "model/stats/statistics.h"

namespace cdt {

/// Metrics of an epoch; for fewer than three seen or unseen pairs all but n is NaN.
struct ValidationMetrics {
  Metrics all, seen, unseen;
  double steering_r = 0;  // r of the pairs that steer
};

/// Partition of the val pairs by whether train has pairs of their gene. The model has one output
/// per gene. Without training pairs an output stays about as initialised, so its predictions say
/// nothing about the training and change the correlation over all pairs at random.
class ValidationParts {
 public:
  /// steer_by: "seen" or "all" (--steer-by). val may be empty.
  ValidationParts(const std::vector<Pair>& train, const std::vector<Pair>& val,
                  const std::string& steer_by);

  std::int64_t unseen_pairs() const { return unseen_pairs_; }
  std::int64_t unseen_genes() const { return unseen_genes_; }
  /// Whether pairs of genes without training pairs are left out of what steers. False if there are
  /// none, or fewer than three others.
  bool leaves_out_unseen() const { return leaves_out_unseen_; }
  /// The values that belong to the pairs that steer.
  template <class Value>
  std::vector<Value> steering(const std::vector<Value>& by_pair) const {
    return leaves_out_unseen_ ? chosen<Value>(by_pair, seen_) : by_pair;
  }
  /// Their effects.
  std::vector<float> steering_effects() const { return steering(effects_); }
  /// Computes the metrics; predictions has one value for each pair of val, which must not be empty.
  ValidationMetrics measure(const std::vector<float>& predictions) const;

 private:
  /// The values that belong to seen, or to unseen, pairs.
  std::vector<float> part(const std::vector<float>& values, bool seen) const;
  Metrics measure_part(const std::vector<float>& predictions, bool seen) const;

  std::vector<float> effects_;  // by pair of val
  std::vector<bool> seen_;      // whether train has pairs of its gene
  std::int64_t unseen_pairs_ = 0, unseen_genes_ = 0;
  bool leaves_out_unseen_ = false;
};

/// Fields of metrics.jsonl in addition to those over all pairs.
nlohmann::ordered_json seen_and_unseen_json(const ValidationMetrics& metrics);

/// A validation, the controls with DNA or gene embeddings shuffled or averaged away, and the
/// comparison with the strongest baseline (apps/evaluation).
struct ComparedValidation {
  std::vector<float> predictions;    // one per val pair
  std::optional<Controls> controls;  // none if the passes had none
  Estimate gain;  // r minus that of the strongest baseline; NaN if either is undefined

  /// "DNA shuffled r 0.37, DNA averaged r 0.38, 0.012 above the gene mean, ", for a line of text.
  std::string note(const std::string& baseline) const;
};

class ValidationControls {
 public:
  /// seed: of the controls; units: of the model's outputs. The data set must have train and val
  /// pairs and outlive this.
  ValidationControls(const Dataset& data, std::uint64_t seed, const OutputUnits& units = {});

  /// Mean window (L, dna_dim) of the val pairs' enhancers, read at the first call, by each rank its
  /// share. go_on() is called between rows; if it returns false the result is empty.
  const std::vector<float>& window(Communicator& ranks, const std::function<bool()>& go_on);
  const std::vector<Context>& contexts() const { return contexts_; }
  std::uint64_t seed() const { return seed_; }
  /// Label of the strongest baseline on the val pairs.
  const std::string& baseline() const { return baseline_label_; }

  ComparedValidation compare(const ControlPasses& passes) const;
  ComparedValidation compare(const PredictionTable& real) const;

 private:
  const Dataset& data_;
  std::uint64_t seed_;
  OutputUnits units_;
  std::vector<Pair> pairs_;
  std::vector<Context> contexts_;   // distinct
  std::vector<std::int32_t> loci_;  // by pair
  std::vector<float> window_;
  std::string baseline_label_;
  std::vector<std::vector<float>> baseline_;  // a single one: its predictions
  double baseline_pearson_ = 0;               // NaN if no baseline has an r
};

/// Runs control_passes() between epochs. go_on() is called after each batch; if it returns false
/// nothing is returned.
std::optional<ControlPasses> validation_passes(const PassPlace& place,
                                               const std::vector<Context>& contexts,
                                               std::span<const float> window, std::uint64_t seed,
                                               const std::function<bool()>& go_on);

/// Runs plain_passes() between epochs, as validation_passes().
std::optional<PredictionTable> plain_validation(const PassPlace& place,
                                                const std::vector<Context>& contexts,
                                                const std::function<bool()>& go_on);

/// Runs plan_passes() between epochs.
void plan_validation(Cdt& model, Tape& tape, Arena& constants, const Dataset& sizes,
                     const Tensor& dna);

/// Unweighted mean over batches of `batch` consecutive pairs of each batch's mean Huber loss; as in
/// the reference, a short last batch counts like a full one.
double epoch_loss(const std::vector<float>& prediction, const std::vector<Pair>& pairs,
                  std::int64_t batch, double delta);

}  // namespace cdt

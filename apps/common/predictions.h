// Predictions of every gene from each enhancer: one forward pass per enhancer serves all its pairs.
// Also what several programs need to know about a data set's pairs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <vector>

#include "engine/tape.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"
#include "model/dna_feed.h"
#include "model/gene_places.h"

namespace cdt {

/// Distinct enhancers of the pairs, ascending, the order of the DNA on disk.
std::vector<std::int32_t> distinct_enhancers(const std::vector<Pair>& pairs);

/// Table (E, G) with a row of predictions for each of E enhancers.
class PredictionTable {
 public:
  /// enhancers: ascending and distinct.
  PredictionTable(std::vector<std::int32_t> enhancers, std::int64_t genes);

  const std::vector<std::int32_t>& enhancers() const { return enhancers_; }
  float* row(std::size_t place) { return values_.data() + place * genes_; }
  /// Predictions of these pairs, in their order; their enhancers must be in the table.
  std::vector<float> of(const std::vector<Pair>& pairs) const;

 private:
  std::size_t place_of(std::int32_t enhancer) const;

  std::vector<std::int32_t> enhancers_;
  std::size_t genes_;
  std::vector<float> values_;
};

/// A model in eval mode, of which no parameter requires a gradient, and what its passes read and
/// write. Every pass needs them at the same addresses (run_recorded()).
struct PredictionPass {
  Cdt& model;
  Tape& tape;
  DnaFeed& feed;
  GenePlaces& places;
  const Trunks& trunks;   // of compute_trunks()
  const Tensor& outputs;  // (batch, G), device memory: as many enhancers at a time
};

/// Predicts all genes from each enhancer. windows: the enhancers whose DNA is read instead of
/// their own, if not empty; the genes are still placed as seen from `enhancers`. go_on(enhancers
/// done) is called after each batch; if it returns false, nothing is returned.
std::optional<PredictionTable> predict_enhancers(
    const PredictionPass& pass, const std::vector<std::int32_t>& enhancers,
    const std::function<bool(std::int64_t done)>& go_on,
    const std::vector<std::int32_t>& windows = {});
/// Predicts all genes from one window (1, L, dna_dim), as seen from each of the enhancers. Without
/// gene positions the table has equal rows, computed once.
std::optional<PredictionTable> predict_from_window(
    const PredictionPass& pass, const Tensor& window, const std::vector<std::int32_t>& enhancers,
    const std::function<bool(std::int64_t done)>& go_on);

/// Mean of the enhancers' DNA (L, dna_dim), summed in float64: the replacement for an enhancer's
/// own DNA in attribution and in the controls of an evaluation. go_on() is called between rows; if
/// it returns false the result is empty.
std::vector<float> mean_window(const Dataset& data, const std::vector<std::int32_t>& enhancers,
                               const std::function<bool()>& go_on);

/// Number of training pairs of each gene of a data set. With the column readout, the output of a
/// gene without any was never trained: it predicts from its initial weights.
class GeneTraining {
 public:
  explicit GeneTraining(const std::vector<Pair>& train, Readout readout = Readout::kColumn);
  explicit GeneTraining(const Dataset& data, Readout readout = Readout::kColumn)
      : GeneTraining(data.pairs_of(Split::kTrain), readout) {}

  std::int64_t pairs_of(std::int32_t gene) const {
    const auto found = pairs_.find(gene);
    return found == pairs_.end() ? 0 : found->second;
  }
  /// Whether the gene's output was never trained; false for every gene with the gene readout, whose
  /// genes share their head, and in a data set without training pairs, which cannot tell.
  bool is_untrained(std::int32_t gene) const { return is_known() && pairs_of(gene) == 0; }
  /// Whether outputs of their own can be untrained, and the data set can tell which.
  bool is_known() const { return readout_ == Readout::kColumn && !pairs_.empty(); }

 private:
  std::unordered_map<std::int32_t, std::int64_t>
      pairs_;  // by gene; genes without pairs are missing
  Readout readout_;
};

}  // namespace cdt

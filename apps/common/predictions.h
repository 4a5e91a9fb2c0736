// Predictions of every gene by enhancer: one forward pass per enhancer serves all its pairs. Beside
// them what several programs ask of a data set's pairs.
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

namespace cdt {

/// The distinct enhancers of the pairs, ascending (the order of dna on disk).
std::vector<std::int32_t> distinct_enhancers(const std::vector<Pair>& pairs);

/// (E, G): a row for each of E enhancers.
class PredictionTable {
 public:
  /// enhancers: ascending, distinct.
  PredictionTable(std::vector<std::int32_t> enhancers, std::int64_t genes);

  const std::vector<std::int32_t>& enhancers() const { return enhancers_; }
  float* row(std::size_t place) { return values_.data() + place * genes_; }
  /// One prediction per pair, in their order; all of enhancers of the table.
  std::vector<float> of(const std::vector<Pair>& pairs) const;

 private:
  std::size_t place_of(std::int32_t enhancer) const;

  std::vector<std::int32_t> enhancers_;
  std::size_t genes_;
  std::vector<float> values_;
};

/// In eval mode; no parameter wants a gradient. A batch has as many enhancers as outputs (batch,
/// G), memory on the device, has rows. Returns nothing if go_on(enhancers done), asked after each
/// batch, returns false. Every call needs trunks and outputs at the same addresses
/// (run_recorded()).
std::optional<PredictionTable> predict_enhancers(
    Cdt& model, Tape& tape, DnaFeed& feed, const Trunks& trunks, const Tensor& outputs,
    const std::vector<std::int32_t>& enhancers,
    const std::function<bool(std::int64_t done)>& go_on);

/// The mean over the enhancers of their DNA (L, dna_dim), sums in float64: what attribution and the
/// controls of an evaluation put in place of an enhancer's own. go_on() is asked between rows; if
/// it returns false the result is empty.
std::vector<float> mean_window(const Dataset& data, const std::vector<std::int32_t>& enhancers,
                               const std::function<bool()>& go_on);

/// How many training pairs each gene of a data set has. The output of a gene without any was never
/// trained: it predicts from its initial weights.
class GeneTraining {
 public:
  explicit GeneTraining(const std::vector<Pair>& train);
  explicit GeneTraining(const Dataset& data) : GeneTraining(data.pairs_of(Split::kTrain)) {}

  std::int64_t pairs_of(std::int32_t gene) const {
    const auto found = pairs_.find(gene);
    return found == pairs_.end() ? 0 : found->second;
  }
  /// False for every gene of a data set without training pairs: it does not say what was trained.
  bool is_untrained(std::int32_t gene) const { return is_known() && pairs_of(gene) == 0; }
  bool is_known() const { return !pairs_.empty(); }

 private:
  std::unordered_map<std::int32_t, std::int64_t> pairs_;  // by gene; none without
};

}  // namespace cdt

// Predictions of every gene from each context, that is, each enhancer with the RNA of one sample:
// one forward pass per context serves all its pairs. Also what several programs need to know about
// a data set's pairs.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <unordered_map>
#include <vector>

#include "apps/common/sample_trunks.h"
#include "engine/ranks/communicator.h"
#include "engine/tape.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"
#include "model/dna_feed.h"
#include "model/gene_places.h"

namespace cdt {

/// Distinct enhancers of the pairs, ascending, the order of the DNA on disk.
std::vector<std::int32_t> distinct_enhancers(const std::vector<Pair>& pairs);
/// Distinct genes likewise.
std::vector<std::int32_t> distinct_genes(const std::vector<Pair>& pairs);

/// An enhancer with the RNA of a sample. Without samples contexts are enhancers.
struct Context {
  std::int32_t sample = 0, enhancer = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): of the generated code
  friend auto operator<=>(const Context&, const Context&) = default;
};
/// Distinct contexts of the pairs, ascending: those of a sample are neighbours.
std::vector<Context> distinct_contexts(const std::vector<Pair>& pairs);
/// Distinct enhancers of contexts, ascending.
std::vector<std::int32_t> distinct_enhancers(const std::vector<Context>& contexts);

/// Table (C, G) with a row of predictions for each of C contexts.
class PredictionTable {
 public:
  /// contexts: ascending and distinct.
  PredictionTable(std::vector<Context> contexts, std::int64_t genes);

  const std::vector<Context>& contexts() const { return contexts_; }
  float* row(std::size_t place) { return values_.data() + place * genes_; }
  /// Predictions of these pairs, in their order; their contexts must be in the table.
  std::vector<float> of(const std::vector<Pair>& pairs) const;

 private:
  std::size_t place_of(const Context& context) const;

  std::vector<Context> contexts_;
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
  SampleTrunks& trunks;
  const Tensor& outputs;  // (batch, G), device memory: as many contexts at a time

  /// Whether predictions depend on more than the DNA: with gene positions on the enhancer, with
  /// samples on the sample.
  bool depends_on_context() const { return places.wanted() || trunks.by_sample(); }
};

/// Neighbouring contexts that are predicted together, [begin, end), all of one sample.
struct ContextBatch {
  std::size_t begin = 0, end = 0;
  std::size_t size() const { return end - begin; }
};
/// Cuts contexts into batches of at most `most`, in order.
std::vector<ContextBatch> context_batches(const std::vector<Context>& contexts, std::size_t most);

/// Receives the predictions (batch.size(), G) of a batch; no further batch is predicted if it
/// returns false.
using RowReceiver = std::function<bool(const ContextBatch& batch, std::span<const float> rows)>;

/// Predicts all genes in the contexts of these batches, each in one pass; false if `receive` was.
/// windows: by context, the enhancers whose DNA is read instead of their own, if not empty;
/// everything else is still that of `contexts`.
bool predict_batches(const PredictionPass& pass, const std::vector<Context>& contexts,
                     std::span<const ContextBatch> batches, const RowReceiver& receive,
                     const std::vector<std::int32_t>& windows = {});
/// Predicts all genes from one window (1, L, dna_dim) instead of those of the contexts; batches: of
/// one context each.
bool predict_from_window(const PredictionPass& pass, const Tensor& window,
                         const std::vector<Context>& contexts,
                         std::span<const ContextBatch> batches, const RowReceiver& receive);

/// Mean of the enhancers' DNA (L, dna_dim), summed in float64: the replacement for an enhancer's
/// own DNA in attribution and in the controls of an evaluation. go_on() is called between rows; if
/// it returns false the result is empty. ranks: each reads its share of the windows, and the result
/// is empty if go_on() returned false on any of them.
std::vector<float> mean_window(const Dataset& data, const std::vector<std::int32_t>& enhancers,
                               const std::function<bool()>& go_on, Communicator& ranks);
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

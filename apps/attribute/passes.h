// Runs the passes for an enhancer, each only once, and hands their results to the sections.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "apps/attribute/batches.h"
#include "apps/attribute/numbers.h"
#include "apps/attribute/place.h"
#include "model/explain/attention_maps.h"
#include "model/explain/attribution_batch.h"
#include "model/explain/gradient_pass.h"
#include "model/explain/occlusion.h"
#include "model/explain/path_split.h"
#include "model/gene_places.h"

namespace cdt {

/// Results of one enhancer and its pairs, with samples those of one sample. Vectors are by pair, in
/// order, and empty if not requested.
struct EnhancerResult {
  std::int32_t enhancer = 0;
  bool zero_dna =
      false;  // the DNA is all zeros: scored, but excluded from the means of the summary
  std::vector<Pair> pairs;
  std::vector<PairScores> scores;
  std::vector<PairNumbers> numbers;        // computed from pairs and scores
  std::vector<Completeness> completeness;  // of the method whose scores add up
  // By method, then by pair: MethodScores::remarks; empty for a method without a report.
  std::vector<std::vector<std::vector<double>>> remarks;
  std::vector<PathSplit> paths;
  std::vector<HeadSplits> path_heads;
  std::vector<GeneGradients> gene_gradients;
  std::vector<GradientClaim> claims;  // gradient . (input - baseline)

  /// Effects of one of the regions.
  struct OfRegion {
    std::size_t region = 0;  // index in --occlude-region
    BinRange bins;
    std::vector<RegionEffect> effects;
  };
  std::vector<OfRegion> regions;  // those inside the window

  /// Computes whole attention maps in passes of their own; the first call of a run also gives the
  /// maps that do not depend on DNA. Valid until the next batch.
  std::function<void(const std::vector<AttentionMap>& wanted, const MapReceiver& receive)> for_maps;
};

class EnhancerPasses {
 public:
  /// Freezes the model and computes its trunks. `pairs` are those of the whole attribution, which
  /// decide the number of places and which windows of genes are read. All arguments must outlive
  /// this.
  EnhancerPasses(Inference& inference, const AttributeOptions& options, const Methods& methods,
                 const std::vector<Region>& regions, const std::vector<Pair>& pairs);

  /// Places of the batches that run() takes; 0 if it takes enhancers one at a time.
  std::int64_t places() const { return batch_ ? batch_->places() : 0; }

  /// Returns the results of each enhancer, in order. dna (E, L, dna_dim): the batch's rows on the
  /// device, at the same address in every call. Throws Error naming the pair if a number is not
  /// finite.
  std::vector<EnhancerResult> run(const EnhancerBatch& batch, const Tensor& dna);

 private:
  /// The next passes explain pairs of this sample.
  void use_sample(std::int32_t sample);
  EnhancerResult run_alone(const std::vector<Pair>& pairs, const Tensor& dna);
  EnhancerResult finish(EnhancerWindow window, const std::vector<Pair>& pairs);
  void score(EnhancerWindow* window, EnhancerResult* out);
  void add_regions(EnhancerWindow* window, EnhancerResult* out);
  bool is_zero(const Tensor& dna);

  Inference& inference_;
  const GradientOptions& options_;
  const std::vector<Region>& regions_;
  Scorers scorers_;  // by method
  Explainer explainer_;
  std::int32_t sample_ = 0;             // whose RNA the explainer has
  std::unique_ptr<DnaFeed> gene_feed_;  // if the model has gene windows
  GenePlaces places_;  // of the enhancer that is explained, if the model has gene positions
  Baseline baseline_;
  bool want_product_ = false;  // gradient times input
  std::optional<AttributionBatch> batch_;
  bool claims_wanted_;         // for every enhancer with DNA
  bool trunks_shown_ = false;  // whether the maps that do not depend on DNA were given
};

}  // namespace cdt

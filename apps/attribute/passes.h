// What is computed of an enhancer, each thing once, and handed to the sections as numbers.
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

namespace cdt {

/// One enhancer with its pairs. Vectors are by pair, in order, and empty where it was not asked
/// for.
struct EnhancerResult {
  std::int32_t enhancer = 0;
  bool zero_dna = false;  // the DNA is all zeros: scored, but in no mean of the summary
  std::vector<Pair> pairs;
  std::vector<PairScores> scores;
  std::vector<PairNumbers> numbers;        // made of pairs and scores
  std::vector<Completeness> completeness;  // of the method that adds up
  std::vector<PathSplit> paths;
  std::vector<HeadSplits> path_heads;
  std::vector<GeneGradients> gene_gradients;
  std::vector<GradientClaim> claims;  // about the baseline

  /// What one of the regions does.
  struct OfRegion {
    std::size_t region = 0;  // its place among those of --occlude-region
    BinRange bins;
    std::vector<RegionEffect> effects;
  };
  std::vector<OfRegion> regions;  // those that the window holds

  /// Whole attention maps, by passes of their own: at the run's first call those that do not depend
  /// on DNA too. Valid until the next batch.
  std::function<void(const std::vector<AttentionMap>& wanted, const MapReceiver& receive)> for_maps;
};

class EnhancerPasses {
 public:
  /// Freezes the model and computes its trunks. scorers: receives those of the methods. pairs: how
  /// many there are. All must outlive this.
  EnhancerPasses(Inference& inference, const AttributeOptions& options, const Methods& methods,
                 const std::vector<Region>& regions, std::size_t pairs, Scorers* scorers);

  /// Of the batches that run() takes; 0: it takes enhancers by themselves.
  std::int64_t places() const { return batch_ ? batch_->places() : 0; }

  /// Of each enhancer, in order. dna (E, L, dna_dim): the batch's rows on the device, at the same
  /// address at every call. Error naming the pair if a number is not finite.
  std::vector<EnhancerResult> run(const EnhancerBatch& batch, const Tensor& dna);

 private:
  EnhancerResult run_alone(const std::vector<Pair>& pairs, const Tensor& dna);
  EnhancerResult finish(EnhancerWindow window, const std::vector<Pair>& pairs);
  void score(EnhancerWindow* window, EnhancerResult* out);
  void add_regions(EnhancerWindow* window, EnhancerResult* out);
  bool is_zero(const Tensor& dna);

  Inference& inference_;
  const GradientOptions& options_;
  const std::vector<Region>& regions_;
  Scorers& scorers_;
  Explainer explainer_;
  Baseline baseline_;
  bool want_product_ = false;  // of gradient and input
  std::optional<AttributionBatch> batch_;
  bool claims_wanted_;         // of every enhancer with DNA
  bool trunks_shown_ = false;  // the maps that do not depend on DNA
};

}  // namespace cdt

// What is computed of an enhancer, each thing once, and handed to the sections as numbers.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "apps/attribute/numbers.h"
#include "apps/attribute/place.h"
#include "model/explain/attention_maps.h"
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
  std::vector<PairNumbers> numbers;
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
  /// on DNA too. Valid while the sections are told.
  std::function<void(const std::vector<AttentionMap>& wanted, const MapReceiver& receive)> for_maps;
};

class EnhancerPasses {
 public:
  /// Freezes the model and computes its trunks. scorers: receives those of the methods. All must
  /// outlive this.
  EnhancerPasses(Inference& inference, const AttributeOptions& options, const Methods& methods,
                 const std::vector<Region>& regions, Scorers* scorers);

  /// pairs: of one enhancer, dna (1, L, dna_dim) on the device. Error naming the pair if a number
  /// is not finite.
  EnhancerResult run(const Tensor& dna, std::vector<Pair> pairs);

 private:
  void score(EnhancerWindow* window, EnhancerResult* out);
  void add_regions(EnhancerWindow* window, EnhancerResult* out);
  bool is_zero(const Tensor& dna);

  Inference& inference_;
  const GradientOptions& options_;
  const Methods& methods_;
  const std::vector<Region>& regions_;
  Scorers& scorers_;
  Explainer explainer_;
  Baseline baseline_;
  bool want_product_ = false;  // of gradient and input
  bool claims_wanted_;         // of every enhancer with DNA
  bool trunks_shown_ = false;  // the maps that do not depend on DNA
};

}  // namespace cdt

// How far occlusion bears gradients out: the correlation of measured effects with what each
// gradient method claims of the same bins. The section "occlusion_vs_gradient" of summary.json.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "apps/attribute/chance.h"
#include "apps/attribute/methods.h"

namespace cdt {

class EffectCorrelations {
 public:
  /// methods: those that run; without occlusion among them nothing is correlated.
  EffectCorrelations(const GradientOptions& options, Methods methods, std::uint64_t seed);

  /// One enhancer's genes with their scores, in order; counted only, if its DNA is all zeros. Pairs
  /// in which the method's or occlusion's window is undefined are left out. Uses the tape.
  void add(Inference& inference, Attributor& attributor, Baseline& baseline,
           const EnhancerGenes& wanted, const std::vector<PairScores>& scores);
  void finish(nlohmann::ordered_json* summary) const;

 private:
  void add_pair(std::int32_t enhancer, const PairScores& scores,
                const std::vector<float>& gradient_claims);

  GradientOptions options_;
  Methods methods_;
  std::uint64_t seed_;
  std::size_t occlusion_;                          // its place in methods_, or past the end
  bool asks_gradient_x_input_;                     // of a baseline that its scores are not made for
  std::vector<std::vector<double>> correlations_;  // by method, one per pair with DNA; may be NaN
  std::vector<std::int32_t> enhancers_;            // of those pairs
  std::int64_t zero_dna_ = 0;
};

}  // namespace cdt

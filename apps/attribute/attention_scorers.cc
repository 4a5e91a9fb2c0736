// Attention rollout and GMAR (model/explain/rollout.h) as attribution methods.
#include <cmath>
#include <utility>

#include "apps/attribute/methods.h"
#include "model/explain/rollout.h"

namespace cdt {
namespace {

RolloutEnd end_of(const ScorerContext& context) {
  return context.options.rollout_end == "rna" ? RolloutEnd::kRna : RolloutEnd::kDnaPool;
}

/// Mean and standard deviation over pairs of the head weights of one attention block.
class WeightSums {
 public:
  void add(const std::vector<double>& weights) {
    sum_.resize(weights.size());
    squares_.resize(weights.size());
    for (std::size_t head = 0; head < weights.size(); ++head) {
      sum_[head] += weights[head];
      squares_[head] += weights[head] * weights[head];
    }
    n_ += 1.0;
  }

  HeadWeights weights() const {
    HeadWeights out;
    for (std::size_t head = 0; head < sum_.size(); ++head) {
      const double m = sum_[head] / n_;
      out.mean.push_back(m);
      out.standard_deviation.push_back(std::sqrt(std::max(0.0, squares_[head] / n_ - m * m)));
    }
    return out;
  }

 private:
  std::vector<double> sum_, squares_;
  double n_ = 0.0;
};

class GmarScorer : public Scorer {
 public:
  explicit GmarScorer(const ScorerContext& context)
      : Scorer(context), layers_(static_cast<std::size_t>(context.inference.config.dna_layers)) {}

  MethodScores score(EnhancerWindow& window) override {
    MethodScores out;
    const MapNorm norm = context_.options.gmar_norm == "l1" ? MapNorm::kL1 : MapNorm::kL2;
    for (Gmar& of_gene :
         gmar(context_.explainer, window.z(), window.genes, end_of(context_), norm)) {
      out.windows.push_back(std::move(of_gene.scores));
      if (window.zero_dna) {
        ++zero_dna_;
        continue;
      }
      for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i].add(of_gene.layer_weights[i]);
      last_.add(of_gene.end_weights);
    }
    return out;
  }

  void describe(MethodSummary* method) const override {
    ByName<HeadWeights>& blocks = method->head_weights.emplace();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      blocks.emplace_back("dna_self_attn_layers." + std::to_string(i), layers_[i].weights());
    }
    const bool ends_in_rna = end_of(context_) == RolloutEnd::kRna;
    blocks.emplace_back(ends_in_rna ? "dna_to_rna" : "vce.dna", last_.weights());
    method->zero_dna_left_out = zero_dna_;
  }

 private:
  std::vector<WeightSums> layers_;
  WeightSums last_;
  std::int64_t zero_dna_ = 0;
};

}  // namespace

MethodScores score_rollout(const ScorerContext& context, EnhancerWindow& window) {
  return {rollout(context.explainer, window.z(), window.genes, end_of(context)), {}};
}

std::unique_ptr<Scorer> make_gmar(const ScorerContext& context) {
  return std::make_unique<GmarScorer>(context);
}

}  // namespace cdt

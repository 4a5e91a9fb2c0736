// Attention rollout and GMAR (model/explain/rollout.h) as attribution methods.
#include <cmath>
#include <utility>

#include "apps/attribute/methods.h"
#include "engine/error.h"
#include "model/explain/rollout.h"

namespace cdt {
namespace {

bool ends_in_rna(const GradientOptions& options) { return options.rollout_end == "rna"; }

RolloutEnd end_of(const ScorerContext& context) {
  return ends_in_rna(context.options) ? RolloutEnd::kRna : RolloutEnd::kDnaPool;
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

/// Remarks: the head weights of each layer of DNA self-attention, then those of the last block.
class GmarReport : public MethodReport {
 public:
  GmarReport(const GradientOptions& options, const CdtConfig& config)
      : ends_in_rna_(ends_in_rna(options)),
        heads_(static_cast<std::size_t>(config.heads)),
        layers_(static_cast<std::size_t>(config.dna_layers)) {}

  void add(const std::vector<double>& remarks, bool zero_dna) override {
    if (zero_dna) {
      ++zero_dna_;
      return;
    }
    const auto part = [&](std::size_t begin, std::size_t end) {
      return std::vector<double>(remarks.begin() + static_cast<std::ptrdiff_t>(begin),
                                 remarks.begin() + static_cast<std::ptrdiff_t>(end));
    };
    CDT_CHECK(remarks.size() >= layers_.size() * heads_, "weights of all heads");
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      layers_[i].add(part(i * heads_, (i + 1) * heads_));
    }
    last_.add(part(layers_.size() * heads_, remarks.size()));
  }

  void describe(MethodSummary* method) const override {
    ByName<HeadWeights>& blocks = method->head_weights.emplace();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      blocks.emplace_back("dna_self_attn_layers." + std::to_string(i), layers_[i].weights());
    }
    blocks.emplace_back(ends_in_rna_ ? "dna_to_rna" : "vce.dna", last_.weights());
    method->zero_dna_left_out = zero_dna_;
  }

 private:
  bool ends_in_rna_;
  std::size_t heads_;  // of each layer
  std::vector<WeightSums> layers_;
  WeightSums last_;
  std::int64_t zero_dna_ = 0;
};

}  // namespace

MethodScores score_rollout(const ScorerContext& context, EnhancerWindow& window) {
  return {rollout(context.explainer, window.z(), window.genes, end_of(context)), {}};
}

MethodScores score_gmar(const ScorerContext& context, EnhancerWindow& window) {
  MethodScores out;
  const MapNorm norm = context.options.gmar_norm == "l1" ? MapNorm::kL1 : MapNorm::kL2;
  for (Gmar& of_gene : gmar(context.explainer, window.z(), window.genes, end_of(context), norm)) {
    out.windows.push_back(std::move(of_gene.scores));
    std::vector<double>& weights = out.remarks.emplace_back();
    for (const auto& of_layer : of_gene.layer_weights) {
      weights.insert(weights.end(), of_layer.begin(), of_layer.end());
    }
    weights.insert(weights.end(), of_gene.end_weights.begin(), of_gene.end_weights.end());
  }
  return out;
}

std::unique_ptr<MethodReport> make_gmar_report(const GradientOptions& options,
                                               const CdtConfig& config) {
  return std::make_unique<GmarReport>(options, config);
}

}  // namespace cdt

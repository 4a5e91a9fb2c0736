#include "apps/attribute/rollout_scorers.h"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "model/rollout.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

Rollout rollout_of(const ScorerContext& context) {
  return {*context.inference.model, context.inference.tape, context.attributor};
}

class RolloutScorer : public Scorer {
 public:
  explicit RolloutScorer(const ScorerContext& context) : rollout_(rollout_of(context)) {}

  std::vector<std::vector<float>> score(const EnhancerGenes& wanted) override {
    return rollout_.rollout(wanted.dna, wanted.genes);
  }

 private:
  Rollout rollout_;
};

/// Mean and standard deviation over pairs of the head weights of one block.
class HeadWeights {
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

  Json json() const {
    Json mean = Json::array();
    Json deviation = Json::array();
    for (std::size_t head = 0; head < sum_.size(); ++head) {
      const double m = sum_[head] / n_;
      mean.push_back(m);
      deviation.push_back(std::sqrt(std::max(0.0, squares_[head] / n_ - m * m)));
    }
    return {{"mean", mean}, {"standard_deviation", deviation}};
  }

 private:
  std::vector<double> sum_, squares_;
  double n_ = 0.0;
};

class GmarScorer : public Scorer {
 public:
  explicit GmarScorer(const ScorerContext& context)
      : rollout_(rollout_of(context)),
        layers_(static_cast<std::size_t>(context.inference.config.dna_layers)) {}

  std::vector<std::vector<float>> score(const EnhancerGenes& wanted) override {
    std::vector<std::vector<float>> out;
    for (Rollout::Gmar& gmar : rollout_.gmar(wanted.dna, wanted.genes)) {
      out.push_back(std::move(gmar.scores));
      if (wanted.zero_dna) {
        ++zero_dna_;
        continue;
      }
      for (std::size_t i = 0; i < layers_.size(); ++i) layers_[i].add(gmar.layer_weights[i]);
      cross_.add(gmar.cross_weights);
    }
    return out;
  }

  void describe(Json* method) const override {
    Json blocks = Json::object();
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      blocks["dna_self_attn_layers." + std::to_string(i)] = layers_[i].json();
    }
    blocks["dna_to_rna"] = cross_.json();
    (*method)["head_weights"] = blocks;
    (*method)["zero_dna_left_out"] = zero_dna_;
  }

 private:
  Rollout rollout_;
  std::vector<HeadWeights> layers_;
  HeadWeights cross_;
  std::int64_t zero_dna_ = 0;
};

}  // namespace

std::unique_ptr<Scorer> make_rollout(const ScorerContext& context) {
  return std::make_unique<RolloutScorer>(context);
}

std::unique_ptr<Scorer> make_gmar(const ScorerContext& context) {
  return std::make_unique<GmarScorer>(context);
}

}  // namespace cdt

#include "model/explain/rollout.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/error.h"
#include "engine/product.h"

namespace cdt {
namespace {

std::vector<float> to_floats(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

double norm_of(std::span<const float> values, MapNorm norm) {
  double sum = 0.0;
  for (const double v : values) sum += norm == MapNorm::kL1 ? std::fabs(v) : v * v;
  return norm == MapNorm::kL1 ? sum : std::sqrt(sum);
}

}  // namespace

std::vector<double> head_weights(std::span<const double> norms) {
  const double sum = std::accumulate(norms.begin(), norms.end(), 0.0);
  std::vector<double> weights;
  for (const double norm : norms) {
    weights.push_back(sum > 0.0 ? norm / sum : 1.0 / static_cast<double>(norms.size()));
  }
  return weights;
}

std::vector<double> mix_heads(std::span<const float> maps, std::span<const double> weights) {
  const std::size_t size = maps.size() / weights.size();
  std::vector<double> mixed(size, 0.0);
  for (std::size_t head = 0; head < weights.size(); ++head) {
    const std::span<const float> map = maps.subspan(head * size, size);
    for (std::size_t i = 0; i < size; ++i) mixed[i] += weights[head] * map[i];
  }
  return mixed;
}

std::vector<double> roll_through(std::vector<double> row, const LayerMaps& maps,
                                 const std::vector<std::vector<double>>& weights) {
  const auto length = static_cast<std::size_t>(maps.length);
  CDT_CHECK(row.size() == length && weights.size() == maps.layers.size(),
            "a row over the bins and head weights for every layer");
  for (std::size_t layer = maps.layers.size(); layer-- > 0;) {
    std::vector<double> rolled(length, 0.0);
    for (std::size_t head = 0; head < weights[layer].size(); ++head) {
      const float* map = maps.layers[layer].data() + head * length * length;
      for (std::size_t i = 0; i < length; ++i) {
        const double share = 0.5 * weights[layer][head] * row[i];
        for (std::size_t j = 0; j < length; ++j) rolled[j] += share * map[i * length + j];
      }
    }
    for (std::size_t i = 0; i < length; ++i) rolled[i] += 0.5 * row[i];
    row = std::move(rolled);
  }
  return row;
}

namespace {

/// A forward pass of an enhancer, and what both methods read from it.
class RolloutPass {
 public:
  RolloutPass(Explainer& explainer, std::span<const float> z, RolloutEnd end, bool with_gradient)
      : explainer_(explainer), tape_(explainer), end_(end) {
    const Cdt& model = explainer.model();
    const std::string& pooling = model.dna.pooling.name;
    Recorder recorder;
    recorder.want_cores = with_gradient;
    for (const AttentionBlock& layer : model.dna.layers) recorder.attention_of.insert(layer.name);
    if (end == RolloutEnd::kDnaPool) recorder.attention_of.insert(pooling);
    const Tensor linear = tape_.upload(z);
    prediction_ =
        model.forward({.tape = *tape_,
                       .dna_linear = with_gradient ? tape_->input(linear) : tape_->constant(linear),
                       .trunks = &explainer.trunks(),
                       .recorder = &recorder});
    context_ = recorder.values.at(explainer.context_name())->value;
    maps_.heads = model.config().heads;
    maps_.length = context_.shape[1];
    for (const AttentionBlock& layer : model.dna.layers) {
      const Tensor map = recorder.attention.at(layer.name + ".attention");
      maps_.layers.push_back(to_host(explainer.backend(), map));
      if (with_gradient) layers_.push_back(recorder.cores.at(layer.name));
    }
    if (end == RolloutEnd::kDnaPool) {
      pooled_ = recorder.values.at(pooling);
      pool_rows_ = to_host(explainer.backend(), recorder.attention.at(pooling + ".attention"));
    }
    if (with_gradient) cross_ = recorder.cores.at(model.dna_to_rna.name);
  }

  const LayerMaps& maps() const { return maps_; }

  /// Returns the row at the end of the path, per head (heads, L).
  std::vector<float> end_rows(std::int32_t gene) {
    if (end_ == RolloutEnd::kDnaPool) return pool_rows_;
    return explainer_.attention_rows(context_, gene);
  }

  std::size_t end_heads() const {
    const CdtConfig& c = explainer_.config();
    return static_cast<std::size_t>(end_ == RolloutEnd::kRna ? c.heads : c.pooling_heads());
  }

  /// Only for a pass with gradient.
  Gmar gmar(std::int32_t gene, MapNorm norm) {
    tape_.backward(prediction_, gene);
    Gmar out;
    for (const AttentionCore& layer : layers_) {
      out.layer_weights.push_back(head_weights(gradient_norms(layer, norm)));
    }
    out.end_weights = head_weights(end_ == RolloutEnd::kRna ? gradient_norms(cross_, norm)
                                                            : pool_gradient_norms(norm));
    tape_->reset_gradients();
    out.scores = to_floats(
        roll_through(mix_heads(end_rows(gene), out.end_weights), maps_, out.layer_weights));
    return out;
  }

 private:
  // Norm per head of d prediction / d A = dout_h V_h^T, one (Nq, Nk) map at a time.
  std::vector<double> gradient_norms(const AttentionCore& core, MapNorm norm) {
    Backend& backend = explainer_.backend();
    const std::int64_t heads = explainer_.config().heads;
    const std::int64_t k = core.out->value.cols() / heads;
    const Scratch map(explainer_.scratch(),
                      {core.out->value.shape[1], core.source->value.shape[1]});
    std::vector<double> norms;
    for (std::int64_t head = 0; head < heads; ++head) {
      multiply(backend, columns(core.out->grad, head * k, k),
               transposed(columns(core.source->value, core.value_column + head * k, k)), *map);
      norms.push_back(norm_of(to_host(backend, *map), norm));
    }
    return norms;
  }

  // Pooling never forms its values; with o = d prediction / d mixed values (D),
  //   d prediction / d a_hn = o_h . (W_v,h x_n + b_v,h) = (W_v,h^T o_h) . x_n + o_h . b_v,h.
  std::vector<double> pool_gradient_norms(MapNorm norm) {
    if (end_heads() == 1) return {1.0};
    const auto host = [&](const Tensor& t) { return to_host(explainer_.backend(), t); };
    const Pooling& w = explainer_.model().dna.pooling;
    const std::vector<float> x = host(context_);
    const std::vector<float> pooled = host(pooled_->grad);
    const std::vector<float> out_weight = host(w.out.weight->value);               // (D, D)
    const std::vector<float> in_weight = host(w.attention.in_proj_weight->value);  // (3D, D)
    const std::vector<float> in_bias = host(w.attention.in_proj_bias->value);      // (3D)
    const std::size_t d = pooled.size();
    const std::size_t k = d / end_heads();
    std::vector<double> norms;
    for (std::size_t head = 0; head < end_heads(); ++head) {
      std::vector<double> folded(d, 0.0);
      double constant = 0.0;
      for (std::size_t i = head * k; i < (head + 1) * k; ++i) {
        double o = 0.0;
        for (std::size_t j = 0; j < d; ++j) {
          o += static_cast<double>(pooled[j]) * out_weight[j * d + i];
        }
        constant += o * in_bias[2 * d + i];
        for (std::size_t j = 0; j < d; ++j) folded[j] += o * in_weight[(2 * d + i) * d + j];
      }
      std::vector<float> gradient;
      for (auto row = x.begin(); row != x.end(); row += static_cast<std::ptrdiff_t>(d)) {
        gradient.push_back(
            static_cast<float>(std::inner_product(folded.begin(), folded.end(), row, constant)));
      }
      norms.push_back(norm_of(gradient, norm));
    }
    return norms;
  }

  Explainer& explainer_;
  EvalTape tape_;
  RolloutEnd end_;
  Var prediction_ = nullptr;
  Tensor context_;  // (1, L, D): what dna_to_rna and DNA pooling attend to
  LayerMaps maps_;
  std::vector<AttentionCore> layers_;
  AttentionCore cross_;
  Var pooled_ = nullptr;          // (1, D): DNA after its pooling
  std::vector<float> pool_rows_;  // (pool heads, L) of DNA pooling, if the path ends there
};

/// Returns equal weights for all heads.
std::vector<double> equal_weights(std::size_t heads) {
  return head_weights(std::vector<double>(heads, 0.0));
}

}  // namespace

std::vector<std::vector<float>> rollout(Explainer& explainer, std::span<const float> z,
                                        const std::vector<std::int32_t>& genes, RolloutEnd end) {
  RolloutPass pass(explainer, z, end, false);
  // Heads are averaged once, so that each gene costs one small product per layer.
  const LayerMaps& maps = pass.maps();
  LayerMaps mean{1, maps.length, {}};
  for (const std::vector<float>& layer : maps.layers) {
    const std::vector<double> weights = equal_weights(static_cast<std::size_t>(maps.heads));
    mean.layers.push_back(to_floats(mix_heads(layer, weights)));
  }
  const std::vector<std::vector<double>> one(mean.layers.size(), std::vector<double>{1.0});
  std::vector<std::vector<float>> out;
  for (const std::int32_t gene : genes) {
    const std::vector<double> row = mix_heads(pass.end_rows(gene), equal_weights(pass.end_heads()));
    out.push_back(to_floats(roll_through(row, mean, one)));
  }
  return out;
}

std::vector<Gmar> gmar(Explainer& explainer, std::span<const float> z,
                       const std::vector<std::int32_t>& genes, RolloutEnd end, MapNorm norm) {
  RolloutPass pass(explainer, z, end, true);
  std::vector<Gmar> out;
  for (const std::int32_t gene : genes) out.push_back(pass.gmar(gene, norm));
  return out;
}

}  // namespace cdt

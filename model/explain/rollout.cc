#include "model/explain/rollout.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "engine/error.h"
#include "engine/product.h"

namespace cdt {
namespace {

std::string layer_name(std::int64_t layer) {
  return "dna_self_attn_layers." + std::to_string(layer);
}

constexpr const char* kDnaPool = "vce.dna";

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
  double sum = 0.0;
  for (const double norm : norms) sum += norm;
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

Rollout::Rollout(Cdt& model, Tape& tape, Attributor& attributor, RolloutEnd end)
    : model_(model),
      tape_(tape),
      attributor_(attributor),
      end_(end),
      end_heads_(end == RolloutEnd::kRna ? model.config().heads : model.config().pooling_heads()) {}

Rollout::Pass Rollout::forward(const Tensor& dna, bool with_gradient) {
  const CdtConfig& config = model_.config();
  tape_.clear();
  tape_.eval();
  Recorder recorder;
  recorder.want_cores = with_gradient;
  for (std::int64_t i = 0; i < config.dna_layers; ++i) recorder.attention_of.insert(layer_name(i));
  if (end_ == RolloutEnd::kDnaPool) recorder.attention_of.insert(kDnaPool);
  const Tensor linear = model_.project_dna_linear(tape_, tape_.constant(dna))->value;
  Pass pass;
  pass.prediction = model_.forward_from_linear(
      tape_, with_gradient ? tape_.input(linear) : tape_.constant(linear), attributor_.trunks(),
      &recorder);
  pass.context = recorder.values.at(dna_context_name(config))->value;
  pass.maps.heads = config.heads;
  pass.maps.length = dna.shape[1];
  for (std::int64_t i = 0; i < config.dna_layers; ++i) {
    const Tensor map = recorder.attention.at(layer_name(i) + ".attention");
    pass.maps.layers.emplace_back(static_cast<std::size_t>(map.count()));
    tape_.backend().download(pass.maps.layers.back().data(), map);
    if (with_gradient) pass.layers.push_back(recorder.cores.at(layer_name(i)));
  }
  if (end_ == RolloutEnd::kDnaPool) {
    pass.pooled = recorder.values.at(kDnaPool);
    pass.pool_rows =
        to_host(tape_.backend(), recorder.attention.at(std::string(kDnaPool) + ".attention"));
  }
  if (!with_gradient) return pass;
  pass.cross = recorder.cores.at("dna_to_rna");
  pass.cotangent = tape_.saved(pass.prediction->value.shape);
  pass.map = tape_.saved({std::max(pass.maps.length, config.genes), pass.maps.length});
  return pass;
}

std::vector<float> Rollout::end_rows(const Pass& pass, std::int32_t gene) {
  if (end_ == RolloutEnd::kDnaPool) return pass.pool_rows;
  return attributor_.row().heads(pass.context, gene);
}

std::vector<std::vector<float>> Rollout::rollout(const Tensor& dna,
                                                 const std::vector<std::int32_t>& genes) {
  const Pass pass = forward(dna, false);
  const auto equal = [](std::int64_t heads) {
    return head_weights(std::vector<double>(static_cast<std::size_t>(heads), 0.0));
  };
  // Heads are averaged once, so that each gene costs one small product per layer.
  LayerMaps mean{1, pass.maps.length, {}};
  for (const std::vector<float>& layer : pass.maps.layers) {
    mean.layers.push_back(to_floats(mix_heads(layer, equal(pass.maps.heads))));
  }
  const std::vector<std::vector<double>> one(mean.layers.size(), std::vector<double>{1.0});
  std::vector<std::vector<float>> out;
  for (const std::int32_t gene : genes) {
    const std::vector<double> row = mix_heads(end_rows(pass, gene), equal(end_heads_));
    out.push_back(to_floats(roll_through(row, mean, one)));
  }
  tape_.clear();
  return out;
}

// Norm by head of d prediction / d A = dout_h V_h^T, one (Nq, Nk) map at a time.
std::vector<double> Rollout::gradient_norms(const Pass& pass, const AttentionCore& core,
                                            MapNorm norm) {
  const std::int64_t heads = model_.config().heads;
  const std::int64_t k = core.out->value.cols() / heads;
  const std::int64_t queries = core.out->value.shape[1];
  const std::int64_t keys = core.source->value.shape[1];
  const Tensor map{pass.map.data, {queries, keys}};
  std::vector<float> host(static_cast<std::size_t>(queries * keys));
  std::vector<double> norms;
  for (std::int64_t head = 0; head < heads; ++head) {
    multiply(tape_.backend(), columns(core.out->grad, head * k, k),
             transposed(columns(core.source->value, core.value_column + head * k, k)), map);
    tape_.backend().download(host.data(), map);
    norms.push_back(norm_of(host, norm));
  }
  return norms;
}

// Pooling never forms its values; with o = d prediction / d mixed values (D),
//   d prediction / d a_hn = o_h . (W_v,h x_n + b_v,h) = (W_v,h^T o_h) . x_n + o_h . b_v,h.
std::vector<double> Rollout::pool_gradient_norms(const Pass& pass, MapNorm norm) {
  if (end_heads_ == 1) return {1.0};
  const auto values_of = [&](const std::string& name) {
    return to_host(tape_.backend(), model_.parameter(kDnaPool + ("_attn." + name)).variable.value);
  };
  const std::vector<float> x = to_host(tape_.backend(), pass.context);
  const std::vector<float> pooled = to_host(tape_.backend(), pass.pooled->grad);
  const std::vector<float> out_weight = values_of("out_proj.weight");  // (D, D)
  const std::vector<float> in_weight = values_of("in_proj_weight");    // (3D, D)
  const std::vector<float> in_bias = values_of("in_proj_bias");        // (3D)
  const std::size_t d = pooled.size();
  const std::size_t k = d / static_cast<std::size_t>(end_heads_);
  std::vector<double> norms;
  for (std::size_t head = 0; head < static_cast<std::size_t>(end_heads_); ++head) {
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
    for (std::size_t n = 0; n < x.size() / d; ++n) {
      gradient.push_back(static_cast<float>(std::inner_product(
          folded.begin(), folded.end(), x.begin() + static_cast<std::ptrdiff_t>(n * d), constant)));
    }
    norms.push_back(norm_of(gradient, norm));
  }
  return norms;
}

Rollout::Gmar Rollout::gmar_of(const Pass& pass, std::int32_t gene, MapNorm norm) {
  Backend& backend = tape_.backend();
  backend.fill(pass.cotangent, 0.0F);
  backend.fill({pass.cotangent.data + gene, {1}}, 1.0F);
  tape_.backward(pass.prediction, pass.cotangent, /*retain=*/true);
  Gmar out;
  for (const AttentionCore& layer : pass.layers) {
    out.layer_weights.push_back(head_weights(gradient_norms(pass, layer, norm)));
  }
  out.end_weights = head_weights(end_ == RolloutEnd::kRna ? gradient_norms(pass, pass.cross, norm)
                                                          : pool_gradient_norms(pass, norm));
  tape_.reset_gradients();
  out.scores = to_floats(
      roll_through(mix_heads(end_rows(pass, gene), out.end_weights), pass.maps, out.layer_weights));
  return out;
}

std::vector<Rollout::Gmar> Rollout::gmar(const Tensor& dna, const std::vector<std::int32_t>& genes,
                                         MapNorm norm) {
  const Pass pass = forward(dna, true);
  std::vector<Gmar> out;
  for (const std::int32_t gene : genes) out.push_back(gmar_of(pass, gene, norm));
  tape_.clear();
  return out;
}

}  // namespace cdt

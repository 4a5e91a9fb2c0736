#include "model/explain/attribution.h"

#include <cmath>
#include <string>
#include <utility>

#include "engine/error.h"
#include "engine/product.h"

namespace cdt {
std::vector<float> mean_over_heads(std::span<const float> values, std::int64_t heads) {
  const auto count = static_cast<std::size_t>(heads);
  std::vector<float> out(values.size() / count);
  for (std::size_t i = 0; i < out.size(); ++i) {
    double sum = 0.0;
    for (std::size_t head = 0; head < count; ++head) sum += values[head * out.size() + i];
    out[i] = static_cast<float>(sum / static_cast<double>(heads));
  }
  return out;
}

std::string dna_context_name(const CdtConfig& config) {
  if (config.dna_layers == 0) return "dna_projector";
  return "dna_self_attn_layers." + std::to_string(config.dna_layers - 1);
}

CrossAttentionRow::CrossAttentionRow(Backend& backend, const Tensor& in_proj_weight,
                                     const Tensor& queries, std::int64_t heads, Arena& scratch)
    : backend_(backend), scratch_(scratch), queries_(queries), heads_(heads) {
  const std::int64_t d = queries.shape[-1];
  key_weight_ = in_proj_weight.slice(d, 2 * d);
}

std::vector<float> CrossAttentionRow::heads(const Tensor& x, std::int32_t gene) {
  const std::int64_t d = queries_.shape[-1];
  const std::int64_t k = d / heads_;
  const std::int64_t bins = x.rows();
  expect_shape("attention_row", "x", x, {1, bins, d});
  CDT_CHECK(gene >= 0 && gene < queries_.shape[1], "no gene " + std::to_string(gene));
  const Tensor query{queries_.at(gene * d), {d}, queries_.dtype};
  const InFloat32 q(backend_, query, scratch_);
  const InFloat32 tokens(backend_, x, scratch_);
  const Scratch folded(scratch_, {heads_, d});  // W_k,h^T q_h
  const Scratch scores(scratch_, {heads_, bins});
  multiply(backend_, stacked((*q).reshaped({heads_, k}), heads_), stacked(key_weight_, heads_),
           stacked(*folded, heads_));
  multiply(backend_, *folded, transposed(*tokens), *scores,
           {.alpha = 1.0F / std::sqrt(static_cast<float>(k))});
  backend_.softmax_dropout(*scores, {}, *scores);
  return to_host(backend_, *scores);
}

std::vector<float> CrossAttentionRow::mean_over_heads(const Tensor& x, std::int32_t gene) {
  return cdt::mean_over_heads(heads(x, gene), heads_);
}

namespace {

Trunks frozen_trunks(Cdt& model, Tape& tape, const Tensor& rna, const Tensor& protein,
                     Arena& lasting) {
  model.freeze();
  tape.clear();
  tape.eval();
  return model.compute_trunks(tape, rna, protein, lasting);
}

}  // namespace

Attributor::Attributor(Cdt& model, Tape& tape, const Tensor& rna, const Tensor& protein,
                       Arena& lasting)
    : model_(model),
      tape_(tape),
      trunks_(frozen_trunks(model, tape, rna, protein, lasting)),
      norm_(tape.backend(), model.parameter("dna_projector.linear.weight").variable.value, lasting,
            tape.scratch()),
      row_(tape.backend(), model.parameter("dna_to_rna.cross_attn.in_proj_weight").variable.value,
           trunks_.rna_queries, model.config().heads, tape.scratch()),
      pass_(model, tape, trunks_) {}

void Attributor::attribute(const Tensor& dna, const std::vector<std::int32_t>& genes,
                           const Receiver& receiver) {
  Recorder recorder;
  pass_.forward_from(dna, &recorder);
  const bool many = static_cast<std::int64_t>(genes.size()) > model_.config().hidden;
  std::vector<float> z, zero;  // host copies, where they are read
  if (many || wants_gradient_x_input_) {
    z = pass_.projected();
    zero = pass_.zero_projection(dna.shape[1]);
  }
  const Tensor context = recorder.values.at(dna_context_name(model_.config()))->value;
  const auto receive = [&](std::size_t i, std::vector<float> gradient, std::vector<float> product) {
    receiver(i, {pass_.predictions()[static_cast<std::size_t>(genes[i])],
                 row_.mean_over_heads(context, genes[i]), std::move(gradient), std::move(product)});
  };
  if (many) {
    if (!many_) many_.emplace(model_, pass_, tape_.backend(), dna.shape[1]);
    ManyGenes::Windows windows = many_->windows(z, zero, genes);
    for (std::size_t i = 0; i < genes.size(); ++i) {
      receive(i, std::move(windows.gradient[i]), std::move(windows.gradient_x_input[i]));
    }
  } else {
    pass_.gradients(genes, [&](std::size_t i, const Tensor& gradient) {
      std::vector<float> product;
      if (wants_gradient_x_input_) {
        product = row_products(to_host(tape_.backend(), gradient), z, zero, dna.shape[1]);
      }
      receive(i, norm_.compute(gradient), std::move(product));
    });
  }
  tape_.clear();
}

}  // namespace cdt

#include "model/attribution.h"

#include <cmath>
#include <string>

#include "engine/error.h"

namespace cdt {
namespace {

std::vector<float> to_host(Backend& backend, const Tensor& t) {
  std::vector<float> host(static_cast<std::size_t>(t.count()));
  backend.download(host.data(), t);
  return host;
}

}  // namespace

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

InputGradientNorm::InputGradientNorm(Backend& backend, const Tensor& weight, Arena& lasting,
                                     Arena& scratch)
    : backend_(backend), scratch_(scratch), weight_(weight) {
  const std::int64_t d = weight.shape[0];
  const std::int64_t in = weight.shape[1];
  if (in <= d) return;
  gram_ = lasting.tensor({d, d});
  backend_.gemm({.trans_b = true,
                 .m = d,
                 .n = d,
                 .k = in,
                 .a = weight.data,
                 .lda = in,
                 .b = weight.data,
                 .ldb = in,
                 .c = gram_.data,
                 .ldc = d});
}

void InputGradientNorm::compute(const Tensor& gradient, const Tensor& out) {
  const std::int64_t bins = gradient.rows();
  const std::int64_t d = weight_.shape[0];
  expect_shape("gradient_norm", "gradient", gradient, {1, bins, d});
  expect_shape("gradient_norm", "out", out, {bins});
  const Tensor g = gradient.reshaped({bins, d});
  const Tensor& map = gram_.empty() ? weight_ : gram_;  // (D, width)
  const std::int64_t width = map.shape[1];
  const Scratch mapped(scratch_, {bins, width});
  backend_.gemm({.m = bins,
                 .n = width,
                 .k = d,
                 .a = g.data,
                 .lda = d,
                 .b = map.data,
                 .ldb = width,
                 .c = mapped.data(),
                 .ldc = width});
  backend_.row_dot_sqrt(*mapped, gram_.empty() ? *mapped : g, out);
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
  const Scratch folded(scratch_, {heads_, d});  // W_k,h^T q_h
  const Scratch scores(scratch_, {heads_, bins});
  backend_.gemm({.m = 1,
                 .n = d,
                 .k = k,
                 .a = queries_.data + gene * d,
                 .lda = k,
                 .b = key_weight_.data,
                 .ldb = d,
                 .c = folded.data(),
                 .ldc = d,
                 .batch = heads_,
                 .stride_a = k,
                 .stride_b = k * d,
                 .stride_c = d});
  backend_.gemm({.trans_b = true,
                 .m = heads_,
                 .n = bins,
                 .k = d,
                 .alpha = 1.0F / std::sqrt(static_cast<float>(k)),
                 .a = folded.data(),
                 .lda = d,
                 .b = x.data,
                 .ldb = d,
                 .c = scores.data(),
                 .ldc = bins});
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
           trunks_.rna_queries, model.config().heads, tape.scratch()) {}

void Attributor::attribute(const Tensor& dna, const std::vector<std::int32_t>& genes,
                           const Receiver& receiver) {
  tape_.clear();
  tape_.eval();
  const Var projected = model_.project_dna_linear(tape_, tape_.constant(dna));
  const Var dna_linear = tape_.input(projected->value);
  Recorder recorder;
  const Var prediction = model_.forward_from_linear(tape_, dna_linear, trunks_, &recorder);
  const Tensor context = recorder.values.at(dna_context_name(model_.config()))->value;
  const std::vector<float> predictions = to_host(tape_.backend(), prediction->value);
  for (std::size_t i = 0; i < genes.size(); ++i) {
    receiver(i, {predictions[static_cast<std::size_t>(genes[i])],
                 row_.mean_over_heads(context, genes[i]),
                 gradient_window(dna_linear, prediction, genes[i])});
  }
  tape_.clear();
}

std::vector<float> Attributor::gradient_window(Var dna_linear, Var prediction, std::int32_t gene) {
  Backend& backend = tape_.backend();
  const Scratch seed(tape_.scratch(), prediction->value.shape);
  backend.fill(*seed, 0.0F);
  backend.fill({seed.data() + gene, {1}}, 1.0F);
  tape_.backward(prediction, *seed, /*retain=*/true);
  const Scratch norms(tape_.scratch(), {dna_linear->value.shape[1]});
  norm_.compute(dna_linear->grad, *norms);
  tape_.reset_gradients();
  return to_host(backend, *norms);
}

}  // namespace cdt

#include "model/explain/explainer.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"
#include "engine/product.h"
#include "model/gene_windows.h"
#include "model/positions.h"

namespace cdt {
namespace {

Trunks frozen_trunks(Cdt& model, Tape& tape, const Tensor& rna, const Tensor& protein,
                     Arena& lasting) {
  model.freeze();
  tape.clear();
  tape.eval();
  return model.compute_trunks(tape, rna, protein, lasting);
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

bool all_zero(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float x) { return x == 0.0F; });
}

double inner(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

std::vector<float> row_norms(Backend& backend, Arena& scratch, const Tensor& rows) {
  const Scratch norms(scratch, {rows.rows()});
  backend.row_dot_sqrt(rows, rows, *norms);
  return to_host(backend, *norms);
}

std::vector<float> row_products(std::span<const float> a, std::span<const float> b,
                                std::span<const float> from, std::int64_t rows) {
  CDT_CHECK(a.size() == b.size() && a.size() == from.size(), "row products of equal shapes");
  std::vector<float> out(static_cast<std::size_t>(rows));
  const std::size_t d = a.size() / out.size();
  for (std::size_t row = 0; row < out.size(); ++row) {
    double sum = 0.0;
    for (std::size_t i = row * d; i < (row + 1) * d; ++i) {
      sum += static_cast<double>(a[i]) * (static_cast<double>(b[i]) - from[i]);
    }
    out[row] = static_cast<float>(sum);
  }
  return out;
}

EvalTape::EvalTape(Explainer& explainer) : explainer_(explainer) {
  CDT_CHECK(!explainer.tape_in_use_, "one forward pass of an explainer at a time");
  explainer.tape_in_use_ = true;
  explainer.tape_.clear();
  explainer.tape_.eval();
}

EvalTape::~EvalTape() {
  explainer_.tape_.clear();
  explainer_.tape_in_use_ = false;
}

Tensor EvalTape::upload(std::span<const float> z, std::int64_t batch) const {
  const std::int64_t d = explainer_.config().hidden;
  const Tensor out = (*this)->saved({batch, std::ssize(z) / (batch * d), d});
  explainer_.backend().upload(out, z.data());
  return out;
}

void EvalTape::backward(Var prediction, std::int32_t gene) const {
  CDT_CHECK(gene >= 0 && gene < prediction->value.cols(), "no gene " + std::to_string(gene));
  const Scratch one_hot(explainer_.scratch(), prediction->value.shape);
  explainer_.backend().fill(*one_hot, 0.0F);
  explainer_.backend().fill({one_hot.data() + gene, {1}}, 1.0F);
  (*this)->backward(prediction, *one_hot, /*retain=*/true);
}

Explainer::Explainer(Cdt& model, Tape& tape, const Tensor& rna, const Tensor& protein,
                     Arena& lasting)
    : model_(model),
      tape_(tape),
      rna_(rna),
      protein_(protein),
      trunks_(frozen_trunks(model, tape, rna, protein, lasting)),
      lasting_(lasting),
      weight_(model.dna.projector.linear.weight->value) {
  const std::int64_t d = weight_.shape[0];
  if (weight_.cols() <= d) return;
  gram_ = lasting.tensor({d, d});
  multiply(backend(), weight_, transposed(weight_), gram_);
}

void Explainer::use_rna(std::span<const float> values) {
  CDT_CHECK(std::ssize(values) == rna_.count(), "the RNA of all genes");
  const EvalTape tape(*this);
  backend().upload(rna_, values.data());
  model_.replace_rna(*tape, rna_, trunks_);
}

void Explainer::place_genes(const Tensor& features) {
  expect_shape("place_genes", "features", features, {1, config().genes, kGeneFeatures});
  const EvalTape tape(*this);
  const Trunks placed = model_.place(*tape, trunks_, features);
  if (!placed_) {
    placed_ = placed;
    placed_->rna = lasting_.tensor(placed.rna.shape, placed.rna.dtype);
    placed_->rna_queries = lasting_.tensor(placed.rna.shape, placed.rna.dtype);
  }
  backend().copy(placed_->rna, placed.rna);
  backend().copy(placed_->rna_queries, placed.rna_queries);
  places_ = features;
}

void Explainer::read_gene_windows(DnaFeed& windows, const std::vector<std::int32_t>& genes,
                                  const std::function<void()>& after_batch) {
  const EvalTape tape(*this);
  cdt::read_gene_windows(model_, *tape, windows, genes, trunks_, [&] {
    after_batch();
    return true;
  });
  gene_feed_ = &windows;
}

Tensor Explainer::gene_window(std::int32_t gene) {
  if (gene_feed_ == nullptr) return {};
  gene_feed_->start({gene});
  return gene_feed_->take();
}

std::vector<float> Explainer::project(const Tensor& dna) {
  const EvalTape tape(*this);
  return to_host(backend(), model_.project_dna(*tape, tape->constant(dna))->value);
}

std::vector<float> Explainer::predict(std::span<const float> z, std::int64_t batch) {
  const EvalTape tape(*this);
  const Var in = tape->constant(tape.upload(z, batch));
  return to_host(backend(),
                 model_.forward({.tape = *tape, .dna_linear = in, .trunks = &trunks()})->value);
}

std::vector<float> Explainer::zero_projection(std::int64_t bins) {
  const Variable& parameter = *model_.dna.projector.linear.bias;
  const std::vector<float> bias =
      to_host(backend(), parameter.rounded.empty() ? parameter.value : parameter.rounded);
  std::vector<float> z;
  z.reserve(bias.size() * static_cast<std::size_t>(bins));
  for (std::int64_t bin = 0; bin < bins; ++bin) z.insert(z.end(), bias.begin(), bias.end());
  return z;
}

void Explainer::input_norms(const Tensor& gradient, const Tensor& out) {
  const std::int64_t bins = gradient.rows();  // over all samples
  const std::int64_t d = weight_.shape[0];
  expect_shape("input_norms", "gradient", gradient, with_last(gradient.shape, d));
  expect_shape("input_norms", "out", out, {bins});
  const InFloat32 g(backend(), gradient.reshaped({bins, d}), scratch());
  const Tensor& map = gram_.empty() ? weight_ : gram_;  // (D, width)
  const Scratch mapped(scratch(), {bins, map.cols()});
  multiply(backend(), *g, map, *mapped);
  backend().row_dot_sqrt(*mapped, gram_.empty() ? *mapped : *g, out);
}

std::vector<float> Explainer::input_norms(const Tensor& gradient) {
  const Scratch norms(scratch(), {gradient.rows()});
  input_norms(gradient, *norms);
  return to_host(backend(), *norms);
}

void Explainer::input_metric(const Tensor& gradient, const Tensor& out) {
  const std::int64_t bins = gradient.rows();
  const Tensor g = gradient.reshaped({bins, gradient.cols()});
  if (!gram_.empty()) {
    multiply(backend(), g, gram_, out);
    return;
  }
  const Scratch wide(scratch(), {bins, weight_.cols()});
  multiply(backend(), g, weight_, *wide);
  multiply(backend(), *wide, transposed(weight_), out);
}

const std::string& Explainer::context_name() const {
  const Modality& dna = model_.dna;
  return dna.layers.empty() ? dna.projector.name : dna.layers.back().name;
}

std::vector<float> Explainer::attention_rows(const Tensor& context, std::int32_t gene) {
  const Tensor& queries = trunks().rna_queries;  // (1, G, D)
  const std::int64_t d = queries.cols();
  CDT_CHECK(gene >= 0 && gene < queries.shape[1], "no gene " + std::to_string(gene));
  const Scratch rows(scratch(), {1, config().heads, context.rows()});
  attention_rows(context, {queries.at(gene * d), {1, d}, queries.dtype}, *rows);
  return to_host(backend(), *rows);
}

void Explainer::attention_rows(const Tensor& context, const Tensor& queries, const Tensor& out) {
  const std::int64_t batch = queries.shape[0];
  const std::int64_t d = trunks_.rna_queries.cols();
  const std::int64_t heads = config().heads;
  const std::int64_t k = d / heads;
  const std::int64_t bins = context.shape[1];
  expect_shape("attention_rows", "context", context, {batch, bins, d});
  expect_shape("attention_rows", "queries", queries, {batch, d});
  expect_shape("attention_rows", "out", out, {batch, heads, bins});
  const InFloat32 q(backend(), queries, scratch());
  const InFloat32 x(backend(), context, scratch());
  const Tensor keys = model_.dna_to_rna.in.weight->value.slice(d, 2 * d);  // (D, D)
  const Scratch folded(scratch(), {batch, heads * d});                     // W_k,h^T q_h
  multiply(backend(), side_by_side(*q, heads), stacked(keys, heads), side_by_side(*folded, heads));
  multiply(backend(), stacked((*folded).reshaped({batch * heads, d}), batch),
           transposed(stacked(*x, batch)), stacked(out, batch),
           {.alpha = 1.0F / std::sqrt(static_cast<float>(k))});
  backend().softmax_dropout(out.reshaped({batch * heads, bins}), {},
                            out.reshaped({batch * heads, bins}));
}

}  // namespace cdt

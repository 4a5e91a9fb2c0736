#include "model/explain/attribution_batch.h"

#include <algorithm>
#include <span>
#include <utility>

#include "engine/error.h"

namespace cdt {
namespace {

/// Returns a slot's part, `size` numbers.
std::span<const float> part(std::span<const float> all, std::size_t place, std::size_t size) {
  return all.subspan(place * size, size);
}

}  // namespace

AttributionBatch::AttributionBatch(Explainer& explainer, std::int64_t places, std::int64_t bins,
                                   bool want_product, Arena& lasting)
    : explainer_(explainer), places_(places), bins_(bins) {
  const CdtConfig& config = explainer.config();
  genes_ = lasting.tensor({places}, Dtype::kInt32);
  queries_ = lasting.tensor({places, config.hidden}, explainer.trunks().rna_queries.dtype);
  dna_norms_ = lasting.tensor({places * bins});
  results_ = lasting.tensor({places * (1 + bins + config.heads * bins)});
  if (!want_product) return;
  const Shape windows{places, bins, config.hidden};
  zero_ = explainer.zero_projection(bins);
  z_ = lasting.tensor(windows, explainer.backend().activations());
  gradient_ = lasting.tensor(windows, z_.dtype);
}

std::string AttributionBatch::step_name(const char* step) const {
  return std::string("attribute ") + std::to_string(places_) + ", " + step;
}

std::vector<Tensor> AttributionBatch::operands(std::vector<Tensor> own) const {
  const Trunks& t = explainer_.trunks();
  own.insert(own.end(), {t.rna, t.protein, t.rna_queries, t.protein_queries, t.gene_windows,
                         dna_norms_, genes_, queries_, results_});
  if (!zero_.empty()) own.insert(own.end(), {z_, gradient_});
  return own;
}

void AttributionBatch::forward(Tape& tape, const Tensor& dna) {
  Backend& backend = explainer_.backend();
  const Cdt& model = explainer_.model();
  {
    const InFloat32 windows(backend, dna.reshaped({dna.rows(), dna.cols()}), explainer_.scratch());
    backend.row_dot_sqrt(*windows, *windows, dna_norms_);
  }
  input_ = tape.input(model.project_dna(tape, tape.constant(dna))->value);
  if (!zero_.empty()) backend.copy(z_, input_->value);
  Recorder recorder;
  output_ = model.forward({.tape = tape,
                           .dna_linear = input_,
                           .trunks = &explainer_.trunks(),
                           .recorder = &recorder,
                           .replayed = true});
  context_ = recorder.values.at(explainer_.context_name())->value;
}

void AttributionBatch::backward(Tape& tape) {
  CDT_CHECK(output_ != nullptr, "a round that is not replayed follows such a forward pass");
  Backend& backend = explainer_.backend();
  backend.select(output_->value, genes_, predictions());
  explainer_.attention_rows(context_, queries_,
                            rows().reshaped({places_, explainer_.config().heads, bins_}));
  {
    const Scratch ones(explainer_.scratch(), {places_});
    const Scratch one_hot(explainer_.scratch(), output_->value.shape);
    backend.fill(*ones, 1.0F);
    backend.select_backward(*ones, genes_, *one_hot);
    tape.backward(output_, *one_hot, /*retain=*/true);
  }
  explainer_.input_norms(input_->grad, gradients());
  if (!zero_.empty()) backend.copy(gradient_, input_->grad);
  tape.reset_gradients();
}

void AttributionBatch::choose(const std::vector<std::int32_t>& genes) {
  Backend& backend = explainer_.backend();
  const Tensor queries = explainer_.trunks().rna_queries.reshaped(
      {explainer_.config().genes, explainer_.config().hidden});
  backend.upload(genes_, genes.data());
  for (std::int64_t place = 0; place < places_; ++place) {
    const std::int32_t gene = genes[static_cast<std::size_t>(place)];
    CDT_CHECK(gene >= 0 && gene < queries.shape[0], "no gene " + std::to_string(gene));
    backend.copy(queries_.slice(place, place + 1), queries.slice(gene, gene + 1));
  }
}

std::vector<PairWindows> AttributionBatch::windows() const {
  Backend& backend = explainer_.backend();
  const std::int64_t heads = explainer_.config().heads;
  const auto bins = static_cast<std::size_t>(bins_);
  const std::vector<float> results = to_host(backend, results_);
  std::vector<PairWindows> out(static_cast<std::size_t>(places_));
  const auto gradients = std::span(results).subspan(out.size());
  const auto rows = gradients.subspan(out.size() * bins);
  const std::vector<float> slopes = zero_.empty() ? zero_ : to_host(backend, gradient_);
  for (std::size_t place = 0; place < out.size(); ++place) {
    const auto gradient = part(gradients, place, bins);
    out[place] = {results[place],
                  mean_over_heads(part(rows, place, bins * static_cast<std::size_t>(heads)), heads),
                  {gradient.begin(), gradient.end()},
                  {}};
    if (zero_.empty()) continue;
    out[place].gradient_x_input = row_products(part(slopes, place, zero_.size()),
                                               part(z_on_host_, place, zero_.size()), zero_, bins_);
  }
  return out;
}

void AttributionBatch::run(const Tensor& dna, const std::vector<std::vector<std::int32_t>>& genes,
                           const Receiver& receive) {
  Backend& backend = explainer_.backend();
  expect_shape("attribution batch", "dna", dna, {places_, bins_, explainer_.config().dna_dim});
  CDT_CHECK(std::ssize(genes) == places_, "an attribution batch is full");
  const EvalTape tape(explainer_);
  output_ = nullptr;
  backend.run_recorded(step_name("forward"), operands({dna}), [&] { forward(*tape, dna); });
  norms_on_host_ = to_host(backend, dna_norms_);
  if (!zero_.empty()) z_on_host_ = to_host(backend, z_);
  std::size_t rounds = 0;
  for (const auto& of_place : genes) rounds = std::max(rounds, of_place.size());
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::int32_t> chosen;
    for (const auto& g : genes) chosen.push_back(g.empty() ? 0 : g[std::min(round, g.size() - 1)]);
    choose(chosen);
    backend.run_recorded(step_name("backward"), operands({}), [&] { backward(*tape); });
    std::vector<PairWindows> all = windows();
    for (std::size_t place = 0; place < genes.size(); ++place) {
      if (round < genes[place].size()) receive(place, round, std::move(all[place]));
    }
  }
}

bool AttributionBatch::is_zero(std::size_t place) const {
  return all_zero(part(norms_on_host_, place, static_cast<std::size_t>(bins_)));
}

}  // namespace cdt

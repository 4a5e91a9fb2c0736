#include "model/explain/gradient_pass.h"

#include <algorithm>
#include <deque>
#include <numeric>
#include <optional>

#include "engine/error.h"
#include "engine/ops.h"

namespace cdt {

GradientPass::GradientPass(Explainer& explainer, std::span<const float> z, Recorder* recorder)
    : explainer_(explainer), tape_(explainer), z_(tape_->input(tape_.upload(z))) {
  const Cdt& model = explainer.model();
  const Pooled pooled = model.pool(
      {.tape = *tape_, .dna_linear = z_, .trunks = &explainer.trunks(), .recorder = recorder});
  pooled_ = {pooled.dna, pooled.rna, pooled.protein, pooled.rna_tokens, pooled.protein_tokens};
  pooled_.resize(path_count(model.config()));
  const bool has_cores = recorder != nullptr && recorder->want_cores;
  cross_ = has_cores ? recorder->cores.at(model.dna_to_rna.name).source : nullptr;
  if (has_cores) cross_->keep = true;
  // The head is a separate computation, because its gradients are needed per path.
  for (const Var v : pooled_) head_inputs_.push_back(tape_->input(v->value));
  Pooled inputs{head_inputs_[kDirect], head_inputs_[kRna], head_inputs_[kProtein]};
  const bool by_gene = head_inputs_.size() > kOwnProtein;
  if (by_gene) {
    inputs.rna_tokens = head_inputs_[kOwnRna];
    inputs.protein_tokens = head_inputs_[kOwnProtein];
    inputs.gene_windows = pooled.gene_windows;
  }
  Recorder head;
  prediction_ = model.predict({.tape = *tape_, .recorder = &head}, inputs);
  if (!by_gene) last_input_ = head.values.at("task_layer.input");
  predictions_ = to_host(explainer.backend(), prediction_->value);
}

// Propagates from columns of a (1, C) value of the head to its inputs, kAtOnce at a time.
void GradientPass::head_gradients(Var from, const std::vector<std::int32_t>& columns,
                                  const Use& use) {
  Backend& backend = explainer_.backend();
  Arena& scratch = explainer_.scratch();
  const std::int64_t width = from->value.cols();
  for (std::size_t first = 0; first < columns.size(); first += kAtOnce) {
    const auto losses =
        std::min<std::int64_t>(kAtOnce, static_cast<std::int64_t>(columns.size() - first));
    std::deque<Scratch> room;
    for (const Var v : head_inputs_) {
      room.emplace_back(scratch, with_first(v->value.shape, losses), v->value.dtype);
    }
    {
      std::vector<float> host(static_cast<std::size_t>(losses * width), 0.0F);
      for (std::int64_t i = 0; i < losses; ++i) {
        const std::int32_t at = columns[first + static_cast<std::size_t>(i)];
        CDT_CHECK(at >= 0 && at < width, "no gene " + std::to_string(at));
        host[static_cast<std::size_t>(i * width + at)] = 1.0F;
      }
      const Scratch one_hot(scratch, {losses, width});
      backend.upload(*one_hot, host.data());
      tape_->backward({{from, *one_hot}}, losses, /*retain=*/true);
    }
    ByPath at_inputs;
    for (std::size_t p = 0; p < room.size(); ++p) {
      backend.copy(*room[p], head_inputs_[p]->grad);
      at_inputs.push_back({pooled_[p], *room[p]});
    }
    tape_->reset_gradients();
    use(first, losses, at_inputs);
  }
}

void GradientPass::backward(const std::vector<Cotangent>& cotangents, std::size_t first,
                            std::int64_t count, const Receiver& receive) {
  tape_->backward(cotangents, count, /*retain=*/true);
  for (std::int64_t i = 0; i < count; ++i) {
    receive(first + static_cast<std::size_t>(i), z_->grad.slice(i, i + 1));
  }
  tape_->reset_gradients();
}

void GradientPass::whole_gradients(Var from, const std::vector<std::int32_t>& columns,
                                   const Receiver& receive) {
  head_gradients(from, columns, [&](std::size_t first, std::int64_t count, const ByPath& pooled) {
    backward(pooled, first, count, receive);
  });
}

void GradientPass::gradients(const std::vector<std::int32_t>& genes, const Receiver& receive) {
  whole_gradients(prediction_, genes, receive);
}

void GradientPass::basis_gradients(const Receiver& receive) {
  CDT_CHECK(last_input_ != nullptr, "predictions that are linear in a layer of the head");
  std::vector<std::int32_t> all(static_cast<std::size_t>(last_input_->value.cols()));
  std::iota(all.begin(), all.end(), 0);
  whole_gradients(last_input_, all, receive);
}

void GradientPass::path_gradients(const std::vector<std::int32_t>& genes,
                                  const PathReceiver& receive) {
  head_gradients(
      prediction_, genes, [&](std::size_t first, std::int64_t count, const ByPath& pooled) {
        for (std::size_t p = 0; p < pooled.size(); ++p) {
          backward({pooled[p]}, first, count, [&](std::size_t index, const Tensor& gradient) {
            receive(index, static_cast<Path>(p), gradient);
          });
        }
      });
}

namespace {

/// Returns `count` copies of a gradient (L, 2D) at keys and values, of shape (count, L, 2D). Copy i
/// keeps only the columns of part first + i. Parts are the keys by head, then the values by head,
/// all of equal width.
std::vector<float> one_part_each(std::span<const float> gradient, const Shape& shape,
                                 std::int64_t first, std::int64_t heads) {
  const std::int64_t columns = shape[2];
  const std::int64_t width = columns / (GradientPass::kHalves * heads);
  std::vector<float> out(static_cast<std::size_t>(shape.count()), 0.0F);
  for (std::int64_t i = 0; i < shape[0]; ++i) {
    for (std::int64_t row = 0; row < shape[1]; ++row) {
      const std::int64_t from = row * columns + (first + i) * width;
      std::copy_n(gradient.begin() + from, width, out.begin() + i * shape[1] * columns + from);
    }
  }
  return out;
}

}  // namespace

std::vector<float> GradientPass::cross_head_gradients(std::int32_t gene, Path path,
                                                      const HeadReceiver& receive) {
  CDT_CHECK(cross_ != nullptr && path != kDirect, "keys and values recorded, a path through them");
  Backend& backend = explainer_.backend();
  std::vector<float> whole, at_cross;
  head_gradients(prediction_, {gene}, [&](std::size_t, std::int64_t, const ByPath& pooled) {
    tape_->backward({pooled[static_cast<std::size_t>(path)]}, 1, /*retain=*/true);
    whole = to_host(backend, z_->grad);
    at_cross = to_host(backend, cross_->grad);
    tape_->reset_gradients();
  });
  const std::int64_t heads = explainer_.config().heads;
  for (std::int64_t first = 0; first < kHalves * heads; first += kAtOnce) {
    const std::int64_t count = std::min(kAtOnce, kHalves * heads - first);
    const Shape shape{count, cross_->value.shape[1], cross_->value.cols()};
    const Scratch parts(explainer_.scratch(), shape);
    const Scratch cotangents(explainer_.scratch(), shape, cross_->value.dtype);
    backend.upload(*parts, one_part_each(at_cross, shape, first, heads).data());
    backend.cast(*cotangents, *parts);
    backward({{cross_, *cotangents}}, static_cast<std::size_t>(first), count,
             [&](std::size_t part, const Tensor& gradient) {
               const auto at = static_cast<std::int64_t>(part);
               receive(at < heads ? kPattern : kValue, at % heads, gradient);
             });
  }
  return whole;
}

namespace {

/// Forward passes of one enhancer in which RNA and protein are inputs.
class GenePass {
 public:
  GenePass(Explainer& explainer, std::span<const float> z) : explainer_(explainer), z_(z) {}

  GeneGradients of(std::int32_t gene) {
    // What a gene reads at its start depends on RNA too, so such a model needs a pass for each.
    const Tensor window = explainer_.gene_window(gene);
    if (!tape_ || !window.empty()) begin(gene, window);
    tape_->backward(prediction_, window.empty() ? gene : 0);
    GeneGradients out{norms(rna_), norms(protein_)};
    (*tape_)->reset_gradients();
    return out;
  }

 private:
  void begin(std::int32_t gene, const Tensor& window) {
    tape_.reset();  // before the next, since there may be only one
    Tape& tape = *tape_.emplace(explainer_);
    rna_ = tape.input(explainer_.rna());
    protein_ = tape.input(explainer_.protein());
    ForwardPass pass{.tape = tape,
                     .dna_linear = tape.constant(tape_->upload(z_)),
                     .rna = rna_,
                     .protein = protein_,
                     .gene_position = explainer_.gene_position()};
    if (window.empty()) {
      prediction_ = explainer_.model().forward(pass);
      return;
    }
    pass.gene_dna = tape.constant(window);
    const Tensor index = tape.saved({1}, Dtype::kInt32);
    explainer_.backend().upload(index, &gene);
    prediction_ = reshape(tape, explainer_.model().forward_pairs(pass, index), {1, 1});
  }

  std::vector<float> norms(Var v) {
    return row_norms(explainer_.backend(), explainer_.scratch(),
                     v->grad.reshaped({v->grad.rows(), v->grad.cols()}));
  }

  Explainer& explainer_;
  std::span<const float> z_;
  std::optional<EvalTape> tape_;
  Var rna_ = nullptr, protein_ = nullptr, prediction_ = nullptr;
};

}  // namespace

std::vector<GeneGradients> gene_gradients(Explainer& explainer, std::span<const float> z,
                                          const std::vector<std::int32_t>& genes) {
  GenePass pass(explainer, z);
  std::vector<GeneGradients> out;
  for (const std::int32_t gene : genes) out.push_back(pass.of(gene));
  return out;
}

}  // namespace cdt

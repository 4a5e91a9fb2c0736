#include "model/explain/gradient_pass.h"

#include <algorithm>
#include <array>

#include "engine/error.h"

namespace cdt {

/// d prediction / d pooled vectors of `count` predictions, (count, D) each, in scratch.
struct GradientPass::PooledGradients {
  PooledGradients(Arena& scratch, std::int64_t count, std::int64_t d)
      : dna(scratch, {count, d}), rna(scratch, {count, d}), protein(scratch, {count, d}) {}
  Scratch dna, rna, protein;
};

GradientPass::GradientPass(Explainer& explainer, std::span<const float> z, Recorder* recorder)
    : explainer_(explainer), tape_(explainer) {
  const std::int64_t d = explainer.config().hidden;
  const Tensor value = tape_->saved({1, static_cast<std::int64_t>(z.size()) / d, d});
  explainer.backend().upload(value, z.data());
  run(value, recorder);
}

GradientPass::GradientPass(Explainer& explainer, const Tensor& dna, Recorder* recorder)
    : explainer_(explainer), tape_(explainer) {
  const Tensor projected = explainer.model().project_dna(*tape_, tape_->constant(dna))->value;
  const Tensor value = tape_->saved(projected.shape);
  explainer.backend().cast(value, projected);
  run(value, recorder);
}

void GradientPass::run(const Tensor& z, Recorder* recorder) {
  const Cdt& model = explainer_.model();
  z_ = tape_->input(z);
  pooled_ = model.pool(
      {.tape = *tape_, .dna_linear = z_, .trunks = &explainer_.trunks(), .recorder = recorder});
  const bool has_cores = recorder != nullptr && recorder->want_cores;
  cross_ = has_cores ? recorder->cores.at(model.dna_to_rna.name).source : nullptr;
  if (has_cores) cross_->keep = true;
  // The head is a computation of its own: its gradients are wanted by path.
  head_input_ = {tape_->input(pooled_.dna->value), tape_->input(pooled_.rna->value),
                 tape_->input(pooled_.protein->value)};
  Recorder head;
  prediction_ = model.predict({.tape = *tape_, .recorder = &head}, head_input_);
  last_input_ = head.values.at("task_layer.input");
  predictions_ = to_host(explainer_.backend(), prediction_->value);
}

// From columns of a (1, C) value of the head to the pooled vectors.
void GradientPass::head_gradients(Var from, std::size_t count,
                                  const std::function<std::int64_t(std::size_t)>& column,
                                  const Use& use) {
  Backend& backend = explainer_.backend();
  const std::int64_t width = from->value.cols();
  for (std::size_t first = 0; first < count; first += kAtOnce) {
    const auto losses = std::min<std::int64_t>(kAtOnce, static_cast<std::int64_t>(count - first));
    const PooledGradients g(explainer_.scratch(), losses, explainer_.config().hidden);
    {
      std::vector<float> host(static_cast<std::size_t>(losses * width), 0.0F);
      for (std::int64_t i = 0; i < losses; ++i) {
        const std::int64_t at = column(first + static_cast<std::size_t>(i));
        CDT_CHECK(at >= 0 && at < width, "no gene " + std::to_string(at));
        host[static_cast<std::size_t>(i * width + at)] = 1.0F;
      }
      const Scratch one_hot(explainer_.scratch(), {losses, width});
      backend.upload(*one_hot, host.data());
      tape_->backward({{from, *one_hot}}, losses, /*retain=*/true);
    }
    backend.copy(*g.dna, head_input_.dna->grad);
    backend.copy(*g.rna, head_input_.rna->grad);
    backend.copy(*g.protein, head_input_.protein->grad);
    tape_->reset_gradients();
    use(first, losses, g);
  }
}

void GradientPass::genes_head_gradients(const std::vector<std::int32_t>& genes, const Use& use) {
  head_gradients(
      prediction_, genes.size(), [&](std::size_t i) { return std::int64_t{genes[i]}; }, use);
}

void GradientPass::backward(const std::vector<Cotangent>& cotangents, std::size_t first,
                            std::int64_t count, const Receiver& receive) {
  tape_->backward(cotangents, count, /*retain=*/true);
  for (std::int64_t i = 0; i < count; ++i) {
    receive(first + static_cast<std::size_t>(i), z_->grad.slice(i, i + 1));
  }
  tape_->reset_gradients();
}

void GradientPass::gradients(const std::vector<std::int32_t>& genes, const Receiver& receive) {
  genes_head_gradients(genes, [&](std::size_t first, std::int64_t count, const PooledGradients& g) {
    backward({{pooled_.dna, *g.dna}, {pooled_.rna, *g.rna}, {pooled_.protein, *g.protein}}, first,
             count, receive);
  });
}

void GradientPass::basis_gradients(const Receiver& receive) {
  head_gradients(
      last_input_, static_cast<std::size_t>(last_input_->value.cols()),
      [](std::size_t i) { return static_cast<std::int64_t>(i); },
      [&](std::size_t first, std::int64_t count, const PooledGradients& g) {
        backward({{pooled_.dna, *g.dna}, {pooled_.rna, *g.rna}, {pooled_.protein, *g.protein}},
                 first, count, receive);
      });
}

void GradientPass::path_gradients(const std::vector<std::int32_t>& genes,
                                  const PathReceiver& receive) {
  genes_head_gradients(genes, [&](std::size_t first, std::int64_t count, const PooledGradients& g) {
    const std::array<Cotangent, kPaths> cotangents{
        {{pooled_.dna, *g.dna}, {pooled_.rna, *g.rna}, {pooled_.protein, *g.protein}}};
    for (const Path path : {kDirect, kRna, kProtein}) {
      backward({cotangents[static_cast<std::size_t>(path)]}, first, count,
               [&](std::size_t index, const Tensor& gradient) { receive(index, path, gradient); });
    }
  });
}

namespace {

/// Copies of a gradient (L, 2D) at keys and values, of shape (count, L, 2D): copy i keeps the
/// columns of part first + i. Parts are keys by head, then values by head, all of equal width.
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
  genes_head_gradients({gene}, [&](std::size_t, std::int64_t, const PooledGradients& g) {
    const Cotangent cotangent =
        path == kRna ? Cotangent{pooled_.rna, *g.rna} : Cotangent{pooled_.protein, *g.protein};
    tape_->backward({cotangent}, 1, /*retain=*/true);
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

std::vector<float> row_norms(Explainer& explainer, const Tensor& gradient) {
  const Tensor rows = gradient.reshaped({gradient.rows(), gradient.cols()});
  const Scratch norms(explainer.scratch(), {rows.rows()});
  explainer.backend().row_dot_sqrt(rows, rows, *norms);
  return to_host(explainer.backend(), *norms);
}

}  // namespace

std::vector<GeneGradients> gene_gradients(Explainer& explainer, const Tensor& dna,
                                          const std::vector<std::int32_t>& genes) {
  const EvalTape tape(explainer);
  const Var rna = tape->input(explainer.rna());
  const Var protein = tape->input(explainer.protein());
  const Var prediction = explainer.model().forward(
      {.tape = *tape, .dna = tape->constant(dna), .rna = rna, .protein = protein});
  std::vector<GeneGradients> out;
  for (const std::int32_t gene : genes) {
    const Scratch one_hot(explainer.scratch(), prediction->value.shape);
    std::vector<float> host(static_cast<std::size_t>(prediction->value.count()), 0.0F);
    host.at(static_cast<std::size_t>(gene)) = 1.0F;
    explainer.backend().upload(*one_hot, host.data());
    tape->backward(prediction, *one_hot, /*retain=*/true);
    out.push_back({row_norms(explainer, rna->grad), row_norms(explainer, protein->grad)});
    tape->reset_gradients();
  }
  return out;
}

}  // namespace cdt

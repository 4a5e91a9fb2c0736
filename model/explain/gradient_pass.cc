#include "model/explain/gradient_pass.h"

#include <algorithm>
#include <array>

#include "engine/error.h"

namespace cdt {

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

/// d prediction / d pooled vectors of `count` predictions, (count, D) each, in scratch.
struct GradientPass::Cotangents {
  Cotangents(Tape& tape, std::int64_t count, std::int64_t d)
      : dna(tape.scratch(), {count, d}),
        rna(tape.scratch(), {count, d}),
        protein(tape.scratch(), {count, d}) {}
  Scratch dna, rna, protein;
};

GradientPass::GradientPass(Cdt& model, Tape& tape, const Trunks& trunks)
    : model_(model), tape_(tape), trunks_(trunks) {}

std::vector<float> GradientPass::project(const Tensor& dna) {
  tape_.clear();
  tape_.eval();
  return to_host(tape_.backend(), model_.project_dna_linear(tape_, tape_.constant(dna))->value);
}

std::vector<float> GradientPass::zero_projection(std::int64_t bins) {
  const Variable& parameter = model_.parameter("dna_projector.linear.bias").variable;
  const std::vector<float> bias =
      to_host(tape_.backend(), parameter.rounded.empty() ? parameter.value : parameter.rounded);
  std::vector<float> z;
  z.reserve(bias.size() * static_cast<std::size_t>(bins));
  for (std::int64_t bin = 0; bin < bins; ++bin) z.insert(z.end(), bias.begin(), bias.end());
  return z;
}

void GradientPass::forward(std::span<const float> z, Recorder* recorder) {
  const std::int64_t d = model_.config().hidden;
  const auto bins = static_cast<std::int64_t>(z.size()) / d;
  tape_.clear();
  tape_.eval();
  const Tensor value = tape_.saved({1, bins, d});
  tape_.backend().upload(value, z.data());
  run_from(value, recorder);
}

void GradientPass::forward_from(const Tensor& dna, Recorder* recorder) {
  tape_.clear();
  tape_.eval();
  const Tensor projected = model_.project_dna_linear(tape_, tape_.constant(dna))->value;
  const Tensor value = tape_.saved(projected.shape);
  tape_.backend().cast(value, projected);
  run_from(value, recorder);
}

std::vector<float> GradientPass::projected() const { return to_host(tape_.backend(), z_->value); }

void GradientPass::run_from(const Tensor& z, Recorder* recorder) {
  z_ = tape_.input(z);
  pooled_ = model_.pool_from_linear(tape_, z_, trunks_, recorder);
  const bool has_cores = recorder != nullptr && recorder->want_cores;
  cross_ = has_cores ? recorder->cores.at("dna_to_rna").source : nullptr;
  if (has_cores) cross_->keep = true;
  // The head is a computation of its own: its gradients are wanted by path.
  head_input_ = {tape_.input(pooled_.dna->value), tape_.input(pooled_.rna->value),
                 tape_.input(pooled_.protein->value)};
  Recorder head;
  prediction_ = model_.predict_from_pooled(tape_, head_input_, 1, &head);
  last_input_ = head.values.at("task_layer.input");
  predictions_ = to_host(tape_.backend(), prediction_->value);
}

// From columns of a (1, C) value of the head to the pooled vectors.
void GradientPass::head_gradients(Var from, std::size_t count,
                                  const std::function<std::int64_t(std::size_t)>& column,
                                  const Use& use) {
  Backend& backend = tape_.backend();
  const std::int64_t width = from->value.cols();
  for (std::size_t first = 0; first < count; first += kCotangents) {
    const auto losses =
        std::min<std::int64_t>(kCotangents, static_cast<std::int64_t>(count - first));
    const Cotangents c(tape_, losses, model_.config().hidden);
    {
      std::vector<float> host(static_cast<std::size_t>(losses * width), 0.0F);
      for (std::int64_t i = 0; i < losses; ++i) {
        const std::int64_t at = column(first + static_cast<std::size_t>(i));
        CDT_CHECK(at >= 0 && at < width, "no gene " + std::to_string(at));
        host[static_cast<std::size_t>(i * width + at)] = 1.0F;
      }
      const Scratch one_hot(tape_.scratch(), {losses, width});
      backend.upload(*one_hot, host.data());
      tape_.backward({{from, *one_hot}}, losses, /*retain=*/true);
    }
    backend.copy(*c.dna, head_input_.dna->grad);
    backend.copy(*c.rna, head_input_.rna->grad);
    backend.copy(*c.protein, head_input_.protein->grad);
    tape_.reset_gradients();
    use(first, losses, c);
  }
}

void GradientPass::genes_head_gradients(const std::vector<std::int32_t>& genes, const Use& use) {
  head_gradients(
      prediction_, genes.size(), [&](std::size_t i) { return std::int64_t{genes[i]}; }, use);
}

void GradientPass::run(const std::vector<Cotangent>& cotangents, std::size_t first,
                       std::int64_t count, const Receiver& receive) {
  tape_.backward(cotangents, count, /*retain=*/true);
  for (std::int64_t i = 0; i < count; ++i) {
    receive(first + static_cast<std::size_t>(i), z_->grad.slice(i, i + 1));
  }
  tape_.reset_gradients();
}

void GradientPass::gradients(const std::vector<std::int32_t>& genes, const Receiver& receive) {
  genes_head_gradients(genes, [&](std::size_t first, std::int64_t count, const Cotangents& c) {
    run({{pooled_.dna, *c.dna}, {pooled_.rna, *c.rna}, {pooled_.protein, *c.protein}}, first, count,
        receive);
  });
}

void GradientPass::basis_gradients(const Receiver& receive) {
  head_gradients(
      last_input_, static_cast<std::size_t>(last_input_->value.cols()),
      [](std::size_t i) { return static_cast<std::int64_t>(i); },
      [&](std::size_t first, std::int64_t count, const Cotangents& c) {
        run({{pooled_.dna, *c.dna}, {pooled_.rna, *c.rna}, {pooled_.protein, *c.protein}}, first,
            count, receive);
      });
}

void GradientPass::path_gradients(const std::vector<std::int32_t>& genes,
                                  const PathReceiver& receive) {
  genes_head_gradients(genes, [&](std::size_t first, std::int64_t count, const Cotangents& c) {
    const std::array<Cotangent, kPaths> cotangents{
        {{pooled_.dna, *c.dna}, {pooled_.rna, *c.rna}, {pooled_.protein, *c.protein}}};
    for (const Path path : {kDirect, kRna, kProtein}) {
      run({cotangents[static_cast<std::size_t>(path)]}, first, count,
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
  Backend& backend = tape_.backend();
  std::vector<float> whole, at_cross;
  genes_head_gradients({gene}, [&](std::size_t, std::int64_t, const Cotangents& c) {
    const Cotangent cotangent =
        path == kRna ? Cotangent{pooled_.rna, *c.rna} : Cotangent{pooled_.protein, *c.protein};
    tape_.backward({cotangent}, 1, /*retain=*/true);
    whole = to_host(backend, z_->grad);
    at_cross = to_host(backend, cross_->grad);
    tape_.reset_gradients();
  });
  const std::int64_t heads = model_.config().heads;
  for (std::int64_t first = 0; first < kHalves * heads; first += kCotangents) {
    const std::int64_t count = std::min(kCotangents, kHalves * heads - first);
    const Shape shape{count, cross_->value.shape[1], cross_->value.cols()};
    const Scratch parts(tape_.scratch(), shape);
    const Scratch cotangents(tape_.scratch(), shape, cross_->value.dtype);
    backend.upload(*parts, one_part_each(at_cross, shape, first, heads).data());
    backend.cast(*cotangents, *parts);
    run({{cross_, *cotangents}}, static_cast<std::size_t>(first), count,
        [&](std::size_t part, const Tensor& gradient) {
          const auto at = static_cast<std::int64_t>(part);
          receive(at < heads ? kPattern : kValue, at % heads, gradient);
        });
  }
  return whole;
}

}  // namespace cdt

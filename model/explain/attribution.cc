#include "model/explain/attribution.h"

#include <algorithm>
#include <utility>

#include "engine/product.h"
#include "model/explain/gradient_pass.h"

namespace cdt {
namespace {

constexpr std::int64_t kBlock = std::int64_t{1} << 24U;  // floats of gradients computed at a time

/// Returns (genes, D): rows of the last layer's weight.
Tensor weight_rows(Explainer& explainer, const std::vector<std::int32_t>& genes, Arena& arena) {
  const Tensor& weight = explainer.model().head.last.weight->value;
  const Tensor out = arena.tensor({std::ssize(genes), weight.cols()});
  for (std::size_t i = 0; i < genes.size(); ++i) {
    const auto row = static_cast<std::int64_t>(i);
    explainer.backend().copy(out.slice(row, row + 1), weight.slice(genes[i], genes[i] + 1));
  }
  return out;
}

/// L scores per gene, in order.
struct GradientWindows {
  std::vector<std::vector<float>> gradient, product;
};

// Predictions are linear in the D inputs of the last layer, so D backward passes give a basis, and
// the gradient of a gene is the basis weighted with the gene's row of the last layer. zero: the
// projection of a zero input.
GradientWindows windows_from_basis(GradientPass& pass, std::span<const float> z,
                                   std::span<const float> zero,
                                   const std::vector<std::int32_t>& genes) {
  Explainer& explainer = pass.explainer();
  Backend& backend = explainer.backend();
  Arena arena(backend, "gradient basis");
  const std::int64_t d = explainer.config().hidden;
  const std::int64_t window = std::ssize(z) / d;
  const auto count = std::ssize(genes);
  const Tensor basis = arena.tensor({d, window, d});
  pass.basis_gradients([&](std::size_t index, const Tensor& gradient) {
    const auto i = static_cast<std::int64_t>(index);
    backend.copy(basis.slice(i, i + 1), gradient);
  });
  const Tensor rows = weight_rows(explainer, genes, arena);
  const std::vector<float> empty(static_cast<std::size_t>(window));
  GradientWindows out{{genes.size(), empty}, {genes.size(), empty}};
  const std::int64_t step = std::clamp<std::int64_t>(kBlock / (count * d), 1, window);
  for (std::int64_t begin = 0; begin < window; begin += step) {
    const std::int64_t bins = std::min(step, window - begin);
    const Scratch block(arena, {1, count * bins, d});
    const Scratch norms(arena, {count * bins});
    multiply(backend, rows, columns(basis.reshaped({d, window * d}), begin * d, bins * d),
             (*block).reshaped({count, bins * d}));
    explainer.input_norms(*block, *norms);
    const std::vector<float> gradients = to_host(backend, *block);
    const std::vector<float> lengths = to_host(backend, *norms);
    const auto size = static_cast<std::size_t>(bins * d);
    const auto at = static_cast<std::size_t>(begin * d);
    for (std::size_t gene = 0; gene < genes.size(); ++gene) {
      const std::vector<float> products =
          row_products(std::span(gradients).subspan(gene * size, size), z.subspan(at, size),
                       zero.subspan(at, size), bins);
      std::copy(products.begin(), products.end(), out.product[gene].begin() + begin);
      std::copy_n(lengths.begin() + static_cast<std::ptrdiff_t>(gene) * bins, bins,
                  out.gradient[gene].begin() + begin);
    }
  }
  return out;
}

}  // namespace

void attribute(Explainer& explainer, std::span<const float> z,
               const std::vector<std::int32_t>& genes, bool want_product,
               const WindowReceiver& receive) {
  Recorder recorder;
  GradientPass pass(explainer, z, &recorder);
  const Tensor context = recorder.values.at(explainer.context_name())->value;  // (1, L, D)
  const std::vector<float> zero = explainer.zero_projection(context.shape[1]);
  const auto give = [&](std::size_t i, std::vector<float> gradient, std::vector<float> product) {
    receive(i,
            {pass.predictions()[static_cast<std::size_t>(genes[i])],
             mean_over_heads(explainer.attention_rows(context, genes[i]), explainer.config().heads),
             std::move(gradient), std::move(product)});
  };
  const CdtConfig& config = explainer.config();
  if (config.readout == Readout::kColumn && std::ssize(genes) > config.hidden) {
    GradientWindows windows = windows_from_basis(pass, z, zero, genes);
    for (std::size_t i = 0; i < genes.size(); ++i) {
      give(i, std::move(windows.gradient[i]), std::move(windows.product[i]));
    }
    return;
  }
  pass.gradients(genes, [&](std::size_t i, const Tensor& gradient) {
    std::vector<float> product;
    if (want_product) {
      product = row_products(to_host(explainer.backend(), gradient), z, zero, context.shape[1]);
    }
    give(i, explainer.input_norms(gradient), std::move(product));
  });
}

}  // namespace cdt

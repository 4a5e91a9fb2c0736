#include "model/explain/many_genes.h"

#include <algorithm>

#include "engine/product.h"

namespace cdt {
namespace {

constexpr std::int64_t kBlock = std::int64_t{1} << 24U;  // floats of gradients formed at a time

/// Bins formed at a time.
std::int64_t block_bins(std::int64_t genes, std::int64_t bins, std::int64_t d) {
  return std::clamp<std::int64_t>(kBlock / (genes * d), 1, bins);
}

}  // namespace

ManyGenes::ManyGenes(Cdt& model, GradientPass& pass, Backend& backend, std::int64_t bins)
    : model_(model),
      pass_(pass),
      backend_(backend),
      bins_(bins),
      arena_(backend, "gradient basis"),
      norm_(backend, model.parameter("dna_projector.linear.weight").variable.value, arena_, arena_),
      basis_(arena_.tensor({model.config().hidden, bins, model.config().hidden})) {}

Tensor ManyGenes::rows_of(const std::vector<std::int32_t>& genes) {
  const Tensor& weight = model_.last_weight();
  const auto d = static_cast<std::size_t>(weight.cols());
  const std::vector<float> host = to_host(backend_, weight);
  std::vector<float> rows;
  for (const std::int32_t gene : genes) {
    const auto first =
        host.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(gene) * d);
    rows.insert(rows.end(), first, first + static_cast<std::ptrdiff_t>(d));
  }
  const Tensor out = arena_.tensor({static_cast<std::int64_t>(genes.size()), weight.cols()});
  backend_.upload(out, rows.data());
  return out;
}

ManyGenes::Windows ManyGenes::windows(std::span<const float> z, std::span<const float> zero,
                                      const std::vector<std::int32_t>& genes) {
  const std::int64_t d = model_.config().hidden;
  const auto count = static_cast<std::int64_t>(genes.size());
  pass_.basis_gradients([&](std::size_t index, const Tensor& gradient) {
    const auto i = static_cast<std::int64_t>(index);
    backend_.copy(basis_.slice(i, i + 1), gradient);
  });
  const Tensor rows = rows_of(genes);
  const std::vector<float> empty(static_cast<std::size_t>(bins_));
  Windows out{std::vector<std::vector<float>>(genes.size(), empty),
              std::vector<std::vector<float>>(genes.size(), empty)};
  const std::int64_t step = block_bins(count, bins_, d);
  for (std::int64_t begin = 0; begin < bins_; begin += step) {
    const std::int64_t bins = std::min(step, bins_ - begin);
    const Scratch block(arena_, {1, count * bins, d});
    const Scratch norms(arena_, {count * bins});
    multiply(backend_, rows, columns(basis_.reshaped({d, bins_ * d}), begin * d, bins * d),
             (*block).reshaped({count, bins * d}));
    norm_.compute(*block, *norms);
    const std::vector<float> gradients = to_host(backend_, *block);
    const std::vector<float> lengths = to_host(backend_, *norms);
    const auto size = static_cast<std::size_t>(bins * d);
    const auto at = static_cast<std::size_t>(begin * d);
    for (std::size_t gene = 0; gene < genes.size(); ++gene) {
      const std::vector<float> products =
          row_products(std::span(gradients).subspan(gene * size, size), z.subspan(at, size),
                       zero.subspan(at, size), bins);
      std::copy(products.begin(), products.end(), out.gradient_x_input[gene].begin() + begin);
      std::copy_n(lengths.begin() + static_cast<std::ptrdiff_t>(gene) * bins, bins,
                  out.gradient[gene].begin() + begin);
    }
  }
  arena_.give_back(rows);
  return out;
}

}  // namespace cdt

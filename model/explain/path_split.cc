#include "model/explain/path_split.h"

#include <cmath>
#include <numeric>
#include <span>

namespace cdt {
namespace {

/// A gene's gradient (L, D), and its image under the input metric, against which parts are
/// measured.
struct Whole {
  std::vector<float> gradient, metric;
  double size = 0;  // |gradient|^2 at the DNA input
};

Whole whole_of(GradientPass& pass, std::int32_t gene) {
  Explainer& explainer = pass.explainer();
  Whole out;
  pass.gradients({gene}, [&](std::size_t, const Tensor& gradient) {
    const Scratch mapped(explainer.scratch(), {gradient.rows(), gradient.cols()});
    explainer.input_metric(gradient, *mapped);
    out.gradient = to_host(explainer.backend(), gradient);
    out.metric = to_host(explainer.backend(), *mapped);
  });
  out.size = inner(out.gradient, out.metric);
  return out;
}

/// Subtracts parts from a gradient; the error is the remainder relative to the gradient.
class Rest {
 public:
  explicit Rest(const std::vector<float>& whole)
      : rest_(whole.begin(), whole.end()), length_(std::sqrt(inner(whole, whole))) {}
  void take(std::span<const float> part) {
    for (std::size_t k = 0; k < rest_.size(); ++k) rest_[k] -= part[k];
  }
  double error() const {
    double left = 0.0;
    for (const double r : rest_) left += r * r;
    return length_ > 0.0 ? std::sqrt(left) / length_ : 0.0;
  }

 private:
  std::vector<double> rest_;
  double length_;
};

PathSplit split_paths_of(GradientPass& pass, std::span<const float> z, std::span<const float> zero,
                         std::int32_t gene) {
  Explainer& explainer = pass.explainer();
  const Whole whole = whole_of(pass, gene);
  Rest rest(whole.gradient);
  PathSplit out;
  pass.path_gradients({gene}, [&](std::size_t, GradientPass::Path, const Tensor& part) {
    const std::vector<float> host = to_host(explainer.backend(), part);
    out.norm.push_back(explainer.input_norms(part));
    out.product.push_back(row_products(host, z, zero, part.rows()));
    out.share.push_back(inner(host, whole.metric) / whole.size);
    rest.take(host);
  });
  out.additivity_error = rest.error();
  return out;
}

HeadSplits split_heads_of(GradientPass& pass, std::span<const float> z, std::span<const float> zero,
                          std::int32_t gene) {
  const Whole whole = whole_of(pass, gene);
  HeadSplits out;
  const std::size_t paths = GradientPass::path_count(pass.explainer().config());
  for (std::size_t path = GradientPass::kRna; path < paths; ++path) {
    HeadSplit& split = out.emplace_back();
    std::vector<std::vector<float>> parts;
    const std::vector<float> of_path = pass.cross_head_gradients(
        gene, static_cast<GradientPass::Path>(path),
        [&](GradientPass::Half half, std::int64_t, const Tensor& gradient) {
          const std::vector<float>& part =
              parts.emplace_back(to_host(pass.explainer().backend(), gradient));
          const std::vector<float> product = row_products(part, z, zero, gradient.rows());
          split.share[half].push_back(inner(part, whole.metric) / whole.size);
          split.product[half].push_back(std::accumulate(product.begin(), product.end(), 0.0));
        });
    Rest rest(of_path);
    for (const std::vector<float>& part : parts) rest.take(part);
    split.additivity_error = rest.error();
  }
  return out;
}

/// Calls split(pass, z, zero, gene) for each gene.
template <class Split>
auto split_genes(Explainer& explainer, std::span<const float> z,
                 const std::vector<std::int32_t>& genes, const std::function<void()>& after_gene,
                 Recorder* recorder, const Split& split) {
  GradientPass pass(explainer, z, recorder);
  const auto bins = std::ssize(z) / explainer.config().hidden;
  const std::vector<float> zero = explainer.zero_projection(bins);
  std::vector<decltype(split(pass, z, zero, 0))> out;
  for (const std::int32_t gene : genes) {
    out.push_back(split(pass, z, zero, gene));
    after_gene();
  }
  return out;
}

}  // namespace

std::vector<PathSplit> split_paths(Explainer& explainer, std::span<const float> z,
                                   const std::vector<std::int32_t>& genes,
                                   const std::function<void()>& after_gene) {
  return split_genes(explainer, z, genes, after_gene, nullptr, split_paths_of);
}

std::vector<HeadSplits> split_heads(Explainer& explainer, std::span<const float> z,
                                    const std::vector<std::int32_t>& genes,
                                    const std::function<void()>& after_gene) {
  Recorder recorder;
  recorder.want_cores = true;
  return split_genes(explainer, z, genes, after_gene, &recorder, split_heads_of);
}

}  // namespace cdt

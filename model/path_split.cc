#include "model/path_split.h"

#include <cmath>

namespace cdt {
namespace {

double inner(std::span<const float> a, std::span<const float> b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

}  // namespace

std::vector<PathSplit> path_split(GradientPass& pass, InputGradientNorm& norm, Tape& tape,
                                  std::span<const float> z, std::span<const float> zero,
                                  const std::vector<std::int32_t>& genes) {
  Backend& backend = tape.backend();
  std::vector<PathSplit> out(genes.size());
  for (std::size_t i = 0; i < genes.size(); ++i) {
    PathSplit& split = out[i];
    // The whole, and what measures a part against it.
    std::vector<float> whole, metric;
    pass.gradients({genes[i]}, [&](std::size_t, const Tensor& gradient) {
      const Scratch mapped(tape.scratch(), {gradient.rows(), gradient.cols()});
      norm.metric(gradient, *mapped);
      whole = to_host(backend, gradient);
      metric = to_host(backend, *mapped);
    });
    const double size = inner(whole, metric);
    std::vector<double> rest(whole.begin(), whole.end());
    pass.path_gradients({genes[i]}, [&](std::size_t, GradientPass::Path path, const Tensor& part) {
      const auto p = static_cast<std::size_t>(path);
      const std::vector<float> host = to_host(backend, part);
      split.norm[p] = norm.compute(part);
      split.product[p] = row_products(host, z, zero, part.rows());
      split.share[p] = inner(host, metric) / size;
      for (std::size_t k = 0; k < rest.size(); ++k) rest[k] -= host[k];
    });
    double left = 0.0;
    for (const double r : rest) left += r * r;
    const double length = std::sqrt(inner(whole, whole));
    split.additivity_error = length > 0.0 ? std::sqrt(left) / length : 0.0;
  }
  return out;
}

}  // namespace cdt

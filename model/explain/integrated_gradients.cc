#include "model/explain/integrated_gradients.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "engine/error.h"

namespace cdt {
namespace {

/// Value and derivative of the Legendre polynomial of degree n at x.
std::pair<double, double> legendre(int n, double x) {
  double before = 1.0;
  double p = x;
  for (int k = 2; k <= n; ++k) {
    const double next = ((2.0 * k - 1.0) * x * p - (k - 1.0) * before) / k;
    before = p;
    p = next;
  }
  return {p, n * (x * p - before) / (x * x - 1.0)};
}

/// Scores (L) of each gene with one quadrature.
std::vector<std::vector<double>> integrate(GradientPass& pass, Backend& backend,
                                           std::span<const float> z,
                                           std::span<const float> baseline, std::int64_t bins,
                                           const std::vector<std::int32_t>& genes,
                                           const Quadrature& quadrature) {
  std::vector<std::vector<double>> sums(genes.size(),
                                        std::vector<double>(static_cast<std::size_t>(bins), 0.0));
  std::vector<float> point(z.size());
  for (std::size_t k = 0; k < quadrature.nodes.size(); ++k) {
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double from = baseline[i];
      point[i] = static_cast<float>(from + quadrature.nodes[k] * (z[i] - from));
    }
    pass.forward(point);
    pass.gradients(genes, [&](std::size_t gene, const Tensor& gradient) {
      const std::vector<float> products =
          row_products(to_host(backend, gradient), z, baseline, bins);
      for (std::size_t bin = 0; bin < products.size(); ++bin) {
        sums[gene][bin] += quadrature.weights[k] * products[bin];
      }
    });
  }
  return sums;
}

/// What rounding may do to a prediction, relative to it: it is the end of a chain of roundings, 16
/// units in the last place of float32; in bfloat16 only activations are rounded, in tf32 only
/// factors, and their errors average out: 2 units.
double prediction_rounding(const Backend& backend) {
  const double unit = backend.product_unit();
  return unit > 0x1.0p-23 ? 2.0 * unit : 16.0 * unit;
}

IntegratedGradients judged(const Backend& backend, const std::vector<double>& scores, int steps,
                           double at_input, double at_baseline, const IntegrationGate& gate) {
  IntegratedGradients out;
  out.scores.assign(scores.begin(), scores.end());
  out.steps = steps;
  out.change = at_input - at_baseline;
  double sum = 0.0;
  for (const double score : scores) sum += score;
  const double scale = std::max(std::fabs(out.change), 1e-6);
  out.completeness_error = std::fabs(sum - out.change) / scale;
  out.resolution =
      prediction_rounding(backend) * (std::fabs(at_input) + std::fabs(at_baseline)) / scale;
  out.complete = out.completeness_error <= std::max(gate.relative, out.resolution);
  return out;
}

std::vector<float> predictions_at(GradientPass& pass, std::span<const float> z,
                                  const std::vector<std::int32_t>& genes) {
  pass.forward(z);
  std::vector<float> out;
  for (const std::int32_t gene : genes) {
    out.push_back(pass.predictions().at(static_cast<std::size_t>(gene)));
  }
  return out;
}

}  // namespace

Quadrature gauss_legendre(int n) {
  CDT_CHECK(n > 0, "a quadrature has points");
  Quadrature out;
  for (int i = 0; i < n; ++i) {
    // Newton from Tricomi's estimate of the zero, largest first
    double x = std::cos(std::numbers::pi * (i + 0.75) / (n + 0.5));
    for (int iteration = 0; iteration < 100; ++iteration) {
      const auto [p, slope] = legendre(n, x);
      const double step = p / slope;
      x -= step;
      if (std::fabs(step) < 1e-15) break;
    }
    const double slope = legendre(n, x).second;
    out.nodes.push_back(0.5 * (1.0 - x));
    out.weights.push_back(1.0 / ((1.0 - x * x) * slope * slope));
  }
  return out;
}

std::vector<IntegratedGradients> integrated_gradients(
    GradientPass& pass, Backend& backend, std::span<const float> z, std::span<const float> baseline,
    std::int64_t bins, const std::vector<std::int32_t>& genes, const IntegrationGate& gate) {
  const std::vector<float> at_input = predictions_at(pass, z, genes);
  const std::vector<float> at_baseline = predictions_at(pass, baseline, genes);
  std::vector<IntegratedGradients> out(genes.size());
  std::vector<std::size_t> open(genes.size());  // genes that have not passed yet
  for (std::size_t i = 0; i < open.size(); ++i) open[i] = i;
  for (int steps = gate.first_steps; !open.empty() && steps <= gate.most_steps; steps *= 2) {
    std::vector<std::int32_t> wanted;
    for (const std::size_t i : open) wanted.push_back(genes[i]);
    const auto scores = integrate(pass, backend, z, baseline, bins, wanted, gauss_legendre(steps));
    std::vector<std::size_t> still;
    for (std::size_t k = 0; k < open.size(); ++k) {
      const std::size_t i = open[k];
      out[i] = judged(backend, scores[k], steps, at_input[i], at_baseline[i], gate);
      if (!out[i].complete) still.push_back(i);
    }
    open = still;
  }
  return out;
}

}  // namespace cdt

#include "model/explain/averaged_gradients.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

#include "engine/error.h"
#include "engine/random.h"
#include "model/explain/gradient_pass.h"

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

/// Returns scores (L) of each gene with one quadrature.
std::vector<std::vector<double>> integrate(Explainer& explainer, std::span<const float> z,
                                           std::span<const float> baseline,
                                           const std::vector<std::int32_t>& genes,
                                           const Quadrature& quadrature) {
  const std::int64_t bins = std::ssize(z) / explainer.config().hidden;
  std::vector<std::vector<double>> sums(genes.size(),
                                        std::vector<double>(static_cast<std::size_t>(bins), 0.0));
  std::vector<float> point(z.size());
  for (std::size_t k = 0; k < quadrature.nodes.size(); ++k) {
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double from = baseline[i];
      point[i] = static_cast<float>(from + quadrature.nodes[k] * (z[i] - from));
    }
    GradientPass pass(explainer, point);
    pass.gradients(genes, [&](std::size_t gene, const Tensor& gradient) {
      const std::vector<float> products =
          row_products(to_host(explainer.backend(), gradient), z, baseline, bins);
      for (std::size_t bin = 0; bin < products.size(); ++bin) {
        sums[gene][bin] += quadrature.weights[k] * products[bin];
      }
    });
  }
  return sums;
}

/// Returns the relative rounding error of a prediction. In float32 it accumulates over a chain of
/// roundings: 16 units in the last place. In bfloat16 only activations are rounded, and in tf32
/// only factors, and the errors average out: 2 units.
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
  const double sum = std::accumulate(scores.begin(), scores.end(), 0.0);
  const double scale = std::max(std::fabs(out.change), 1e-6);
  out.completeness_error = std::fabs(sum - out.change) / scale;
  out.resolution =
      prediction_rounding(backend) * (std::fabs(at_input) + std::fabs(at_baseline)) / scale;
  out.complete = out.completeness_error <= std::max(gate.relative, out.resolution);
  return out;
}

}  // namespace

Quadrature gauss_legendre(int n) {
  CDT_CHECK(n > 0, "a quadrature has points");
  Quadrature out;
  for (int i = 0; i < n; ++i) {
    // Newton's method from Tricomi's estimate of the zero, largest first
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

std::vector<IntegratedGradients> integrated_gradients(Explainer& explainer,
                                                      std::span<const float> z,
                                                      std::span<const float> baseline,
                                                      const std::vector<std::int32_t>& genes,
                                                      const IntegrationGate& gate) {
  const std::vector<float> at_input = explainer.predict(z);
  const std::vector<float> at_baseline = explainer.predict(baseline);
  std::vector<IntegratedGradients> out(genes.size());
  std::vector<std::size_t> open(genes.size());  // genes that have not passed the gate yet
  std::iota(open.begin(), open.end(), std::size_t{0});
  for (int steps = gate.first_steps; !open.empty() && steps <= gate.most_steps; steps *= 2) {
    std::vector<std::int32_t> wanted;
    for (const std::size_t i : open) wanted.push_back(genes[i]);
    const auto scores = integrate(explainer, z, baseline, wanted, gauss_legendre(steps));
    std::vector<std::size_t> still;
    for (std::size_t k = 0; k < open.size(); ++k) {
      const std::size_t i = open[k];
      const auto gene = static_cast<std::size_t>(genes[i]);
      out[i] = judged(explainer.backend(), scores[k], steps, at_input.at(gene),
                      at_baseline.at(gene), gate);
      if (!out[i].complete) still.push_back(i);
    }
    open = still;
  }
  return out;
}

namespace {

std::vector<float> noisy(const std::vector<float>& x, double deviation, std::uint64_t seed,
                         std::uint32_t sample) {
  RandomStream random(seed, kSmoothGradStream + sample);
  std::vector<float> out(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    out[i] = static_cast<float>(x[i] + deviation * random.normal());
  }
  return out;
}

/// Mean gradients, (L, D): sums of 1 / n times the gradients of all samples and of the
/// even-numbered ones.
struct Sums {
  std::vector<double> all, even;

  void add(const std::vector<float>& gradient, int sample, int samples) {
    all.resize(gradient.size(), 0.0);
    even.resize(gradient.size(), 0.0);
    for (std::size_t i = 0; i < gradient.size(); ++i) {
      const float part = gradient[i] / static_cast<float>(samples);
      all[i] += part;
      if (sample % 2 == 0) even[i] += part;
    }
  }
};

double norm_of(const std::vector<float>& v) { return std::sqrt(inner(v, v)); }

/// score: computes scores (L) from a mean gradient.
template <class Score>
double monte_carlo_error(const Sums& sums, int samples, const std::vector<float>& scores,
                         const Score& score) {
  const double size = norm_of(scores);
  if (samples < 2 || !(size > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  const int odd_ones = samples / 2;
  const double n = samples, n_odd = odd_ones, n_even = n - n_odd;
  std::vector<float> even, odd;
  for (std::size_t i = 0; i < sums.all.size(); ++i) {
    even.push_back(static_cast<float>(sums.even[i] * (n / n_even)));
    odd.push_back(static_cast<float>((sums.all[i] - sums.even[i]) * (n / n_odd)));
  }
  std::vector<float> difference = score(even);
  const std::vector<float> other = score(odd);
  for (std::size_t bin = 0; bin < difference.size(); ++bin) difference[bin] -= other[bin];
  return std::sqrt(n_even * n_odd) / n * norm_of(difference) / size;
}

}  // namespace

std::vector<SmoothGrad> smoothgrad(Explainer& explainer, const Tensor& dna,
                                   const std::vector<std::int32_t>& genes,
                                   const SmoothGradOptions& options) {
  Backend& backend = explainer.backend();
  const std::vector<float> x = to_host(backend, dna);
  const auto [least, largest] = std::minmax_element(x.begin(), x.end());
  const double deviation = options.noise * (static_cast<double>(*largest) - *least);
  std::vector<Sums> sums(genes.size());
  Shape shape;
  for (int sample = 0; sample < options.samples; ++sample) {
    const Scratch input(explainer.scratch(), dna.shape);
    const std::vector<float> host =
        noisy(x, deviation, options.seed, static_cast<std::uint32_t>(sample));
    backend.upload(*input, host.data());
    GradientPass pass(explainer, explainer.project(*input));
    pass.gradients(genes, [&](std::size_t gene, const Tensor& gradient) {
      shape = gradient.shape;
      sums[gene].add(to_host(backend, gradient), sample, options.samples);
    });
  }
  const auto score = [&](const std::vector<float>& mean) {
    const Scratch gradient(explainer.scratch(), shape);
    backend.upload(*gradient, mean.data());
    return explainer.input_norms(*gradient);
  };
  std::vector<SmoothGrad> out;
  for (const Sums& s : sums) {
    std::vector<float> scores = score({s.all.begin(), s.all.end()});
    const double error = monte_carlo_error(s, options.samples, scores, score);
    out.push_back({std::move(scores), error});
  }
  return out;
}

}  // namespace cdt

#include "model/smoothgrad.h"

#include <algorithm>

#include "engine/random.h"

namespace cdt {
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

}  // namespace

std::vector<std::vector<float>> smoothgrad(GradientPass& pass, InputGradientNorm& norm, Tape& tape,
                                           const Tensor& dna,
                                           const std::vector<std::int32_t>& genes,
                                           const SmoothGradOptions& options) {
  Backend& backend = tape.backend();
  const std::vector<float> x = to_host(backend, dna);
  const auto [least, largest] = std::minmax_element(x.begin(), x.end());
  const double deviation = options.noise * (static_cast<double>(*largest) - *least);
  std::vector<std::vector<double>> sums(genes.size());
  Shape shape;
  for (int sample = 0; sample < options.samples; ++sample) {
    const Scratch input(tape.scratch(), dna.shape);
    const std::vector<float> host =
        noisy(x, deviation, options.seed, static_cast<std::uint32_t>(sample));
    backend.upload(*input, host.data());
    pass.forward(pass.project(*input));
    pass.gradients(genes, [&](std::size_t gene, const Tensor& gradient) {
      const std::vector<float> g = to_host(backend, gradient);
      shape = gradient.shape;
      sums[gene].resize(g.size(), 0.0);
      for (std::size_t i = 0; i < g.size(); ++i) sums[gene][i] += g[i] / options.samples;
    });
  }
  tape.clear();
  std::vector<std::vector<float>> out;
  for (const std::vector<double>& sum : sums) {
    const std::vector<float> mean(sum.begin(), sum.end());
    const Scratch gradient(tape.scratch(), shape);
    backend.upload(*gradient, mean.data());
    out.push_back(norm.compute(*gradient));
  }
  return out;
}

}  // namespace cdt

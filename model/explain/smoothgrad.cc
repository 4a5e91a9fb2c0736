#include "model/explain/smoothgrad.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

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

/// Means of gradients, (L, D): sums of shares 1 / n of all samples and of the even-numbered ones.
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

double norm_of(const std::vector<float>& v) {
  double squares = 0.0;
  for (const float x : v) squares += static_cast<double>(x) * x;
  return std::sqrt(squares);
}

/// score: (L) of a mean gradient.
template <class Score>
double monte_carlo_error(const Sums& sums, int samples, const std::vector<float>& scores,
                         const Score& score) {
  const double size = norm_of(scores);
  if (samples < 2 || !(size > 0.0)) return std::numeric_limits<double>::quiet_NaN();
  const int odd_ones = samples / 2;
  const double n = samples;
  const double n_odd = odd_ones;
  const double n_even = n - n_odd;
  std::vector<float> even;
  std::vector<float> odd;
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

std::vector<SmoothGrad> smoothgrad(GradientPass& pass, InputGradientNorm& norm, Tape& tape,
                                   const Tensor& dna, const std::vector<std::int32_t>& genes,
                                   const SmoothGradOptions& options) {
  Backend& backend = tape.backend();
  const std::vector<float> x = to_host(backend, dna);
  const auto [least, largest] = std::minmax_element(x.begin(), x.end());
  const double deviation = options.noise * (static_cast<double>(*largest) - *least);
  std::vector<Sums> sums(genes.size());
  Shape shape;
  for (int sample = 0; sample < options.samples; ++sample) {
    const Scratch input(tape.scratch(), dna.shape);
    const std::vector<float> host =
        noisy(x, deviation, options.seed, static_cast<std::uint32_t>(sample));
    backend.upload(*input, host.data());
    pass.forward(pass.project(*input));
    pass.gradients(genes, [&](std::size_t gene, const Tensor& gradient) {
      shape = gradient.shape;
      sums[gene].add(to_host(backend, gradient), sample, options.samples);
    });
  }
  tape.clear();
  const auto score = [&](const std::vector<float>& mean) {
    const Scratch gradient(tape.scratch(), shape);
    backend.upload(*gradient, mean.data());
    return norm.compute(*gradient);
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

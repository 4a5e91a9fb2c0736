// Gradients averaged over inputs near the enhancer's own: along a path, or under noise.
//
// Integrated gradients (Sundararajan, Taly & Yan, ICML 2017) over the DNA bins:
//   score(bin) = sum over features of (x - x0) * integral over a in [0, 1] of
//                d prediction / d x at x0 + a (x - x0)
// with x0 a stated baseline. The scores of all bins add up to f(x) - f(x0) (completeness); what the
// quadrature misses is the completeness error. Both predictions are rounded, which can contribute
// to that error as much as its resolution; below the resolution a better quadrature cannot be
// recognised. The path is also straight in the output of the projector's linear map, so no tensor
// of width dna_dim is formed.
//
// SmoothGrad (Smilkov et al. 2017): the norm per bin of the mean gradient over noisy copies of the
// DNA input, x + noise * (max x - min x) * N(0, 1).
//
// Its Monte Carlo error comes from two halves of the n samples: n1 even-numbered and n2
// odd-numbered ones. If a score from m samples has variance v / m, the difference of the two
// halves' scores has variance v (1 / n1 + 1 / n2), and sqrt(n1 n2) / n times the difference has
// variance v / n, that of the score from all n samples; for even n this is half the difference. The
// bias that noise adds to a norm is the same in both halves, so this error does not include it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/explain/explainer.h"

namespace cdt {

/// Nodes and weights of n-point Gauss-Legendre quadrature on [0, 1].
struct Quadrature {
  std::vector<double> nodes, weights;
};
Quadrature gauss_legendre(int n);

/// How closely the scores of a gene add up to the change of the prediction.
struct Completeness {
  int steps = 0;                  // points of the quadrature used
  double change = 0;              // f(x) - f(x0)
  double completeness_error = 0;  // |sum - change| / max(|change|, 1e-6)
  double resolution = 0;          // part of that error that rounding of both predictions can cause
  bool complete = false;          // the error is within the gate or the resolution
};

struct IntegratedGradients : Completeness {
  std::vector<float> scores;  // (L), signed
};

struct IntegrationGate {
  double relative = 0.01;
  int first_steps = 32, most_steps = 512;  // doubled until the gate is passed
};

/// Computes integrated gradients of each gene, in order; z and baseline (L, D) as from
/// Explainer::project(). Genes that fail the gate are integrated again with twice the steps.
std::vector<IntegratedGradients> integrated_gradients(Explainer& explainer,
                                                      std::span<const float> z,
                                                      std::span<const float> baseline,
                                                      const std::vector<std::int32_t>& genes,
                                                      const IntegrationGate& gate);

struct SmoothGradOptions {
  int samples = 25;
  double noise = 0.1;      // standard deviation as a share of the input's range
  std::uint64_t seed = 0;  // sample s draws from RandomStream(seed, kSmoothGradStream + s)
};
constexpr std::uint32_t kSmoothGradStream = 0x53470000;

struct SmoothGrad {
  std::vector<float> scores;  // (L)
  /// Monte Carlo error: norm over bins of the scores' standard errors (from two halves of the
  /// samples) divided by the norm of the scores; NaN for one sample or if all scores are 0.
  double error = 0;
};

/// Computes SmoothGrad of each gene, in order, for dna (1, L, dna_dim). All enhancers get the same
/// draws. Holds two float64 sums (L, D) per gene.
std::vector<SmoothGrad> smoothgrad(Explainer& explainer, const Tensor& dna,
                                   const std::vector<std::int32_t>& genes,
                                   const SmoothGradOptions& options);

}  // namespace cdt

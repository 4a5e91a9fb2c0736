// Gradients averaged over other inputs than the enhancer's own: along a path, or under noise.
//
// Integrated gradients (Sundararajan, Taly & Yan, ICML 2017) over the DNA bins:
//   score(bin) = sum over features of (x - x0) * integral over a in [0, 1] of
//                d prediction / d x at x0 + a (x - x0)
// with x0 a stated baseline. The scores of all bins add up to f(x) - f(x0) (completeness); what the
// quadrature misses of that is the completeness error. The two predictions are rounded; what that
// may make of the error is its resolution, below which no quadrature can be told from a better one.
// The path is straight in the output of the projector's linear map too, so nothing dna_dim wide is
// formed.
//
// SmoothGrad (Smilkov et al. 2017): the norm by bin of the mean gradient over noisy copies of the
// DNA input, x + noise * (max x - min x) * N(0, 1).
//
// Of n samples the even-numbered are one half, n1, the odd-numbered the other, n2. Where a score of
// m samples has variance v / m, the two halves' scores differ by one of v (1 / n1 + 1 / n2), and
// sqrt(n1 n2) / n times their difference has the variance v / n of the score of all n: half the
// difference for even n. What noise adds to a norm is the same in both, and not seen by it.
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

/// How far the scores of a gene are from adding up to the prediction's change.
struct Completeness {
  int steps = 0;                  // points of the quadrature that gave them
  double change = 0;              // f(x) - f(x0)
  double completeness_error = 0;  // |sum - change| / max(|change|, 1e-6)
  double resolution = 0;          // what rounding of both predictions may add to that error
  bool complete = false;          // the error is within the gate or within the resolution
};

struct IntegratedGradients : Completeness {
  std::vector<float> scores;  // (L), signed
};

struct IntegrationGate {
  double relative = 0.01;
  int first_steps = 32, most_steps = 512;  // doubled from the first until the gate is passed
};

/// Of each gene, in order; z and baseline (L, D) as from Explainer::project(). Genes that miss the
/// gate are integrated again with twice the steps.
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
  /// Monte Carlo error: norm over bins of the scores' standard errors from two halves of the
  /// samples, over the norm of the scores; NaN of one sample, and of scores that are all 0.
  double error = 0;
};

/// Of each gene, in order, dna (1, L, dna_dim). All enhancers see the same draws. Two sums of
/// float64 (L, D) per gene are held.
std::vector<SmoothGrad> smoothgrad(Explainer& explainer, const Tensor& dna,
                                   const std::vector<std::int32_t>& genes,
                                   const SmoothGradOptions& options);

}  // namespace cdt

// Integrated gradients (Sundararajan, Taly & Yan, ICML 2017) over the DNA bins:
//   score(bin) = sum over features of (x - x0) * integral over a in [0, 1] of
//                d prediction / d x at x0 + a (x - x0)
// with x0 a stated baseline. The scores of all bins add up to f(x) - f(x0) (completeness); what the
// quadrature misses of that is the completeness error. The two predictions are rounded; what that
// may make of the error is its resolution, below which no quadrature can be told from a better one.
// The path is straight in the output of the projector's linear map too, so nothing dna_dim wide is
// formed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/explain/gradient_pass.h"

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

/// Of each gene, in order; z and baseline (L, D) as GradientPass::project() gives them. Genes that
/// miss the gate are integrated again with twice the steps. Clears the tape.
std::vector<IntegratedGradients> integrated_gradients(
    GradientPass& pass, Backend& backend, std::span<const float> z, std::span<const float> baseline,
    std::int64_t bins, const std::vector<std::int32_t>& genes, const IntegrationGate& gate);

}  // namespace cdt

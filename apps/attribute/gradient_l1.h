// L1 norm of the gradient at the DNA input, as a method: the gradient g W itself, computed in
// blocks.
#pragma once

#include <algorithm>
#include <cmath>

#include "apps/attribute/methods.h"
#include "apps/common/program.h"
#include "engine/product.h"
#include "model/explain/gradient_pass.h"

namespace cdt {

/// Row sums of |g W| (L): g (1, L, D) at the projector's linear map, w (D, dna_dim).
inline std::vector<float> input_l1(Backend& on, Arena& scratch, const Tensor& g, const Tensor& w) {
  std::vector<double> sums(static_cast<std::size_t>(g.rows()));
  std::size_t at = 0;  // index into |g W|, row by row
  for (std::int64_t first = 0, last = 0; first < g.rows(); first = last) {
    last = std::min<std::int64_t>(first + 128, g.rows());
    const Scratch block(scratch, {last - first, w.cols()});
    multiply(on, g.reshaped({g.rows(), g.cols()}).slice(first, last), w, *block);
    const std::vector<float> host = to_host(on, *block);
    for (const float x : host) sums[at++ / static_cast<std::size_t>(w.cols())] += std::fabs(x);
  }
  return {sums.begin(), sums.end()};
}

inline MethodScores gradient_l1(const ScorerContext& context, EnhancerWindow& window) {
  Explainer& explainer = context.explainer;
  const Tensor& w = explainer.model().dna.projector.linear.weight->value;
  MethodScores out;
  GradientPass pass(explainer, window.z());
  pass.gradients(window.genes, [&](std::size_t, const Tensor& gradient) {
    out.windows.push_back(input_l1(explainer.backend(), explainer.scratch(), gradient, w));
    stop_if_interrupted();
  });
  return out;
}

}  // namespace cdt

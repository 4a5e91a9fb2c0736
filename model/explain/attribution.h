// What drives a prediction: attention and gradient windows over the DNA bins (section 2.7;
// docs/paper-vs-code.md). One forward pass serves all genes of an enhancer. Each gene costs one
// backward pass that stops before the DNA projector; above D genes, D passes serve all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "model/explain/explainer.h"

namespace cdt {

/// The windows of one enhancer-gene pair, L scores each.
struct PairWindows {
  float prediction = 0;
  std::vector<float> attention;         // sums to 1
  std::vector<float> gradient;          // L2 norm over features of d prediction / d DNA input
  std::vector<float> gradient_x_input;  // their inner product per bin, signed; empty if not wanted
};

/// Receives the windows of genes[index].
using WindowReceiver = std::function<void(std::size_t index, const PairWindows& windows)>;

/// Computes the windows of each gene for one enhancer, in order, with z (L, D) as from
/// Explainer::project(). They do not depend on which other genes are requested, except that with
/// more than D genes the gradients are summed in another order and need a basis (D, L, D), 2.1 GB
/// at the paper's sizes. want_product: also compute gradient times input.
void attribute(Explainer& explainer, std::span<const float> z,
               const std::vector<std::int32_t>& genes, bool want_product,
               const WindowReceiver& receive);

}  // namespace cdt

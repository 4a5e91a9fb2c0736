// Norms of gradients at the DNA input from gradients at the output of its linear map.
#pragma once

#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"

namespace cdt {

/// Norms of gradients with respect to the DNA input, from gradients at the projector's output:
/// |W^T g|^2 = g^T (W W^T) g, so the (D, D) Gram matrix replaces the dna_dim wide gradient. Where
/// the input is no wider than the hidden size, W^T g itself is cheaper and is taken.
class InputGradientNorm {
 public:
  /// weight (D, dna_dim), which must outlive this.
  InputGradientNorm(Backend& backend, const Tensor& weight, Arena& lasting, Arena& scratch);

  /// out(L): L2 norm over features of the gradient at the input, from gradient (1, L, D).
  void compute(const Tensor& gradient, const Tensor& out);
  /// The same on the host.
  std::vector<float> compute(const Tensor& gradient);
  /// out(L, D): W W^T g of every bin, so that g' . out is the inner product of two gradients at the
  /// input, g' and g at the linear map's output.
  void metric(const Tensor& gradient, const Tensor& out);

 private:
  Backend& backend_;
  Arena& scratch_;
  Tensor weight_;  // (D, dna_dim)
  Tensor gram_;    // (D, D), or empty: narrow input
};

}  // namespace cdt

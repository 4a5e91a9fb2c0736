// Gradient windows of more genes than the last linear layer has inputs. The predictions are linear
// in its D inputs, so D backward passes give a basis, and the gradient of gene g in a bin is the
// combination of the basis with the weights of row g: at most D passes, however many genes.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/arena.h"
#include "model/explain/gradient_pass.h"
#include "model/explain/input_gradient.h"

namespace cdt {

class ManyGenes {
 public:
  /// Reserves the basis, (D, L, D) float32: 2.1 GB at the paper's sizes.
  ManyGenes(Cdt& model, GradientPass& pass, Backend& backend, std::int64_t bins);

  /// L scores of each gene, in order.
  struct Windows {
    std::vector<std::vector<float>> gradient, gradient_x_input;
  };
  /// Of the pass's last forward(z); zero: the projection of a zero input. Equal to one backward
  /// pass per gene up to float32 rounding.
  Windows windows(std::span<const float> z, std::span<const float> zero,
                  const std::vector<std::int32_t>& genes);

 private:
  Tensor rows_of(const std::vector<std::int32_t>& genes);

  Cdt& model_;
  GradientPass& pass_;
  Backend& backend_;
  std::int64_t bins_;
  Arena arena_;
  InputGradientNorm norm_;
  Tensor basis_;  // (D, L, D)
};

}  // namespace cdt

// AdamW over all parameters of a model (Loshchilov & Hutter, ICLR 2019; PyTorch's defaults), and
// clipping by the global norm. One group: decay applies to biases, norms and queries too, as the
// released training does.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/tape.h"

namespace cdt {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 1e-5;
};

/// Moments of every parameter, in the order of `parameters`.
class AdamW {
 public:
  /// Allocates both moments, as zeros, in `lasting`. Parameters must have a gradient tensor.
  AdamW(std::vector<Var> parameters, Backend& backend, Arena& lasting, const AdamWOptions& options);

  /// L2 norm over all gradients, summed in float64.
  double gradient_norm() const;
  /// One update at learning rate `lr` with every gradient scaled by `grad_scale`.
  void step(double lr, float grad_scale);

  /// Updates done so far; the bias correction of the next one uses steps() + 1.
  std::int64_t steps() const { return steps_; }
  /// Continues a stored run: moments are filled through first_moment() and second_moment().
  void set_steps(std::int64_t steps) { steps_ = steps; }
  const Tensor& first_moment(std::size_t i) const { return moments_[i].first; }
  const Tensor& second_moment(std::size_t i) const { return moments_[i].second; }
  std::size_t size() const { return parameters_.size(); }

 private:
  struct Moments {
    Tensor first, second;  // shape of the parameter
  };
  std::vector<Var> parameters_;
  std::vector<Moments> moments_;
  Backend& backend_;
  AdamWOptions options_;
  std::int64_t steps_ = 0;
};

/// Factor that brings gradients of global norm `norm` to at most `max_norm`:
/// max_norm / (norm + 1e-6), never above 1. max_norm 0: no clipping.
float clip_factor(double norm, double max_norm);

}  // namespace cdt

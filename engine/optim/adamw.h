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
  AdamW(const std::vector<Var>& parameters, Backend& backend, Arena& lasting,
        const AdamWOptions& options);

  /// Sets the rates of the next update: learning rate and bias corrections. Counts the update.
  void begin_step(double lr);
  /// Clips by the global norm (max_norm 0: not) and updates. Only kernels, so that it can be part
  /// of a recorded step. A norm that is not finite leaves everything as it is.
  void clip_and_update(double max_norm);
  void step(double lr, double max_norm) {
    begin_step(lr);
    clip_and_update(max_norm);
  }
  /// (2), of the last update: the norm of all gradients, and the factor that clipped them.
  const Tensor& norm_and_factor() const { return clip_; }

  /// Updates done so far; the bias correction of the next one uses steps() + 1.
  std::int64_t steps() const { return steps_; }
  /// Continues a stored run: moments are filled through first_moment() and second_moment().
  void set_steps(std::int64_t steps) { steps_ = steps; }
  const Tensor& first_moment(std::size_t i) const { return tensors_[i].first; }
  const Tensor& second_moment(std::size_t i) const { return tensors_[i].second; }
  std::size_t size() const { return tensors_.size(); }

 private:
  std::vector<AdamWTensors> tensors_;
  Tensor rates_;  // (8)
  Tensor clip_;   // (2)
  Backend& backend_;
  AdamWOptions options_;
  std::int64_t steps_ = 0;
};

}  // namespace cdt

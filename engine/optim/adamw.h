// AdamW over all parameters of a model (Loshchilov & Hutter, ICLR 2019; PyTorch's defaults), with
// clipping by the global norm. By default there is one parameter group: decay applies to biases,
// norms and queries too, as in the released training.
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

/// Factors of a parameter's learning rate and weight decay. Parameters with equal factors form a
/// group.
struct AdamWFactors {
  double lr = 1.0, decay = 1.0;
  bool operator==(const AdamWFactors&) const = default;
};

/// The optimiser and its moments, one pair per parameter in the order of `parameters`.
class AdamW {
 public:
  /// Allocates both moments, as zeros, in `lasting`. Parameters must have a gradient tensor.
  /// factors: one per parameter, or none if all are 1.
  AdamW(const std::vector<Var>& parameters, Backend& backend, Arena& lasting,
        const AdamWOptions& options, const std::vector<AdamWFactors>& factors = {});

  /// Starts the next update: counts it and uploads the rates of every group.
  void begin_step(double lr);
  /// Clips by the global norm (max_norm 0: no clipping) and updates. It only launches kernels, so
  /// it can be part of a recorded step. If the norm is not finite, nothing changes.
  void clip_and_update(double max_norm);
  void step(double lr, double max_norm) {
    begin_step(lr);
    clip_and_update(max_norm);
  }
  /// (2): the gradient norm of the last update, and the factor that clipped it.
  const Tensor& norm_and_factor() const { return clip_; }

  /// Updates done so far; the bias correction of the next one uses steps() + 1.
  std::int64_t steps() const { return steps_; }
  /// For continuing a stored run; the moments are filled through first_moment() and
  /// second_moment().
  void set_steps(std::int64_t steps) { steps_ = steps; }
  const Tensor& first_moment(std::size_t i) const { return tensors_[i].first; }
  const Tensor& second_moment(std::size_t i) const { return tensors_[i].second; }
  std::size_t size() const { return tensors_.size(); }

 private:
  std::vector<AdamWTensors> tensors_;
  std::vector<AdamWFactors> groups_;
  Tensor rates_;  // (groups, 8)
  Tensor clip_;   // (2)
  Backend& backend_;
  AdamWOptions options_;
  std::int64_t steps_ = 0;
};

}  // namespace cdt

#include "engine/optim/adamw.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "engine/error.h"

namespace cdt {

AdamW::AdamW(std::vector<Var> parameters, Backend& backend, Arena& lasting,
             const AdamWOptions& options)
    : parameters_(std::move(parameters)), backend_(backend), options_(options) {
  moments_.reserve(parameters_.size());
  for (const Var parameter : parameters_) {
    CDT_CHECK(!parameter->grad.empty(), "AdamW: parameter without a gradient");
    const Moments moments{lasting.tensor(parameter->value.shape),
                          lasting.tensor(parameter->value.shape)};
    backend_.fill(moments.first, 0.0F);
    backend_.fill(moments.second, 0.0F);
    moments_.push_back(moments);
  }
}

double AdamW::gradient_norm() const {
  double sum = 0.0;
  for (const Var parameter : parameters_) sum += backend_.sum_of_squares(parameter->grad);
  return std::sqrt(sum);
}

void AdamW::step(double lr, float grad_scale) {
  ++steps_;
  AdamWStep step;
  step.lr = lr;
  step.beta1 = options_.beta1;
  step.beta2 = options_.beta2;
  step.eps = options_.eps;
  step.weight_decay = options_.weight_decay;
  step.bias_correction1 = 1.0 - std::pow(options_.beta1, static_cast<double>(steps_));
  step.bias_correction2 = 1.0 - std::pow(options_.beta2, static_cast<double>(steps_));
  step.grad_scale = grad_scale;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    backend_.adamw(parameters_[i]->value, parameters_[i]->grad, moments_[i].first,
                   moments_[i].second, step);
  }
}

float clip_factor(double norm, double max_norm) {
  if (max_norm <= 0.0) return 1.0F;
  return static_cast<float>(std::min(1.0, max_norm / (norm + 1e-6)));
}

}  // namespace cdt

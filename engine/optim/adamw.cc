#include "engine/optim/adamw.h"

#include <cmath>

#include "engine/error.h"

namespace cdt {

AdamW::AdamW(const std::vector<Var>& parameters, Backend& backend, Arena& lasting,
             const AdamWOptions& options)
    : rates_(lasting.tensor({8})),
      clip_(lasting.tensor({2})),
      backend_(backend),
      options_(options) {
  for (const Var parameter : parameters) {
    CDT_CHECK(!parameter->grad.empty(), "AdamW: parameter without a gradient");
    const Shape& shape = parameter->value.shape;
    tensors_.push_back({parameter->value, parameter->grad, lasting.tensor(shape),
                        lasting.tensor(shape), parameter->rounded});
    backend_.fill(tensors_.back().first, 0.0F);
    backend_.fill(tensors_.back().second, 0.0F);
  }
}

void AdamW::begin_step(double lr) {
  ++steps_;
  AdamWStep step;
  step.lr = lr;
  step.beta1 = options_.beta1;
  step.beta2 = options_.beta2;
  step.eps = options_.eps;
  step.weight_decay = options_.weight_decay;
  step.bias_correction1 = 1.0 - std::pow(options_.beta1, static_cast<double>(steps_));
  step.bias_correction2 = 1.0 - std::pow(options_.beta2, static_cast<double>(steps_));
  const AdamWRates rates = adamw_rates(step);
  backend_.upload(rates_, &rates);
}

void AdamW::clip_and_update(double max_norm) {
  backend_.clip(tensors_, max_norm, clip_);
  backend_.adamw(tensors_, rates_, clip_);
}

}  // namespace cdt

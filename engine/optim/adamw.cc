#include "engine/optim/adamw.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::int64_t kRates = sizeof(AdamWRates) / sizeof(float);

/// Index of the factors in the list, which is extended if they are not there yet.
std::int32_t group_of(const AdamWFactors& factors, std::vector<AdamWFactors>* groups) {
  const auto found = std::find(groups->begin(), groups->end(), factors);
  const auto index = static_cast<std::int32_t>(found - groups->begin());
  if (found == groups->end()) groups->push_back(factors);
  return index;
}

}  // namespace

AdamW::AdamW(const std::vector<Var>& parameters, Backend& backend, Arena& lasting,
             const AdamWOptions& options, const std::vector<AdamWFactors>& factors)
    : clip_(lasting.tensor({2})), backend_(backend), options_(options) {
  CDT_CHECK(factors.empty() || factors.size() == parameters.size(),
            "AdamW: one pair of factors per parameter");
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Var parameter = parameters[i];
    CDT_CHECK(!parameter->grad.empty(), "AdamW: parameter without a gradient");
    const Shape& shape = parameter->value.shape;
    const std::int32_t group = group_of(factors.empty() ? AdamWFactors{} : factors[i], &groups_);
    tensors_.push_back({parameter->value, parameter->grad, lasting.tensor(shape),
                        lasting.tensor(shape), parameter->rounded, group});
    backend_.fill(tensors_.back().first, 0.0F);
    backend_.fill(tensors_.back().second, 0.0F);
  }
  rates_ = lasting.tensor({std::ssize(groups_), kRates});
}

void AdamW::begin_step(double lr) {
  ++steps_;
  AdamWStep step;
  step.beta1 = options_.beta1;
  step.beta2 = options_.beta2;
  step.eps = options_.eps;
  step.bias_correction1 = 1.0 - std::pow(options_.beta1, static_cast<double>(steps_));
  step.bias_correction2 = 1.0 - std::pow(options_.beta2, static_cast<double>(steps_));
  std::vector<AdamWRates> rates;
  for (const AdamWFactors& group : groups_) {
    step.lr = lr * group.lr;
    step.weight_decay = options_.weight_decay * group.decay;
    rates.push_back(adamw_rates(step));
  }
  backend_.upload(rates_, rates.data());
}

void AdamW::clip_and_update(double max_norm) {
  backend_.clip(tensors_, max_norm, clip_);
  backend_.adamw(tensors_, rates_, clip_);
}

}  // namespace cdt

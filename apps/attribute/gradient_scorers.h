// Methods that need passes of their own: integrated gradients, SmoothGrad and occlusion.
#pragma once

#include <memory>

#include "apps/attribute/methods.h"

namespace cdt {

std::unique_ptr<Scorer> make_integrated_gradients(const ScorerContext& context);
std::unique_ptr<Scorer> make_smoothgrad(const ScorerContext& context);
std::unique_ptr<Scorer> make_occlusion(const ScorerContext& context);

}  // namespace cdt

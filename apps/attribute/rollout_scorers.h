// Attention rollout and GMAR (model/explain/rollout.h) as methods.
#pragma once

#include <memory>

#include "apps/attribute/methods.h"

namespace cdt {

std::unique_ptr<Scorer> make_rollout(const ScorerContext& context);

/// Heads weighted by the norm (--gmar-norm) of the gradient at their maps. Its object in
/// summary.json gets "head_weights": by attention block, mean and standard deviation of each head's
/// weight over pairs with DNA.
std::unique_ptr<Scorer> make_gmar(const ScorerContext& context);

}  // namespace cdt

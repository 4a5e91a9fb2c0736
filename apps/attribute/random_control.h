// The control every method is held against: scores that know nothing.
#pragma once

#include <memory>

#include "apps/attribute/methods.h"

namespace cdt {

/// Independent uniform scores in [0, 1), a function of seed, enhancer, gene and bin alone.
std::unique_ptr<Scorer> make_random_control(const ScorerContext& context);

}  // namespace cdt

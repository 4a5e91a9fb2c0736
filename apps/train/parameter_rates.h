// Learning rate and weight decay of single parameters: --lr-scale and --no-decay of cdt-train.
#pragma once

#include <vector>

#include "apps/train/options.h"
#include "engine/optim/adamw.h"
#include "model/parameters.h"

namespace cdt {

/// Factors of each trained parameter, in the order of variables(). Throws InputError for an
/// --lr-scale that is no PATTERN=FACTOR, names no parameter, or decays weights to zero in one step.
std::vector<AdamWFactors> rate_factors(const TrainSettings& settings, const CdtParameters& model);

/// Throws InputError for an --lr-scale that names only parameters that --freeze names too.
void refuse_frozen_scales(const TrainSettings& settings, const CdtParameters& model);

}  // namespace cdt

// What cdt-train says on stderr before the first step: what is odd about the pairs, and what the
// training will take.
#pragma once

#include <string>

#include "apps/train/memory_plan.h"
#include "apps/train/options.h"
#include "apps/train/state.h"
#include "apps/train/validation_metrics.h"
#include "io/dataset/dataset.h"
#include "model/cdt.h"

namespace cdt {

/// Warnings, one line each: a pair of enhancer and gene in two splits, val pairs of genes without
/// training pairs, effects to learn from or to steer by that are all equal.
void warn_about_pairs(const Dataset& data, const ValidationParts& validation,
                      const TrainSettings& settings);

/// Parameters, memory and steps in one line; a second one where the model dwarfs the data and its
/// sizes are the defaults.
void say_what_it_takes(const Cdt& model, const MemoryPlan& plan, const Dataset& data,
                       const TrainOptions& options);

/// Where a resumed run continues on another device than it began on, and where nothing is left to
/// do: it then ends at once, and with success.
void say_what_is_resumed(const TrainState& state, const TrainSettings& settings,
                         const std::string& began_on, const std::string& device);

}  // namespace cdt

// A whole training: from the options to the files of the run.
#pragma once

#include <optional>

#include "apps/train/options.h"
#include "apps/train/state.h"
#include "engine/ranks/communicator.h"

namespace cdt {

/// Trains, or resumes, the run in --out and prints the result on stdout; `until`: only until that
/// moment, and prints no result. Adds to `options` what a stored run or model determines. The ranks
/// share the work, and rank 0 writes the run.
void train(TrainOptions* options, Communicator& ranks, const std::optional<RunMoment>& until);

}  // namespace cdt

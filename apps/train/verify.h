// cdt-train --verify: runs a run again and compares the two bit for bit.
#pragma once

#include "apps/train/options.h"

namespace cdt {

/// Trains the run in given.verify again, from its config.json and to the same step, into a
/// temporary folder beside it that is removed at the end, or into --out. Prints on stdout, one line
/// each, whether data, code, machine, weights and metrics are equal. Returns the exit code: 0 if
/// weights, optimiser and metrics are, else 1. Throws InputError if the run cannot be run again:
/// other data, other starting weights, a run that is being written to, an interruption.
int verify(const TrainOptions& given);

}  // namespace cdt

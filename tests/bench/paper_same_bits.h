// Checks that a recorded training step leaves the same bits as one launched kernel by kernel, and
// the same bits when repeated.
#pragma once

#include "apps/common/cli.h"
#include "tests/bench/paper_world.h"

namespace cdt {

/// Trains a few steps recorded, launched one by one and recorded again, each in a separate process
/// from the same weights. One JSON object on stdout; exit status 1 if the bits differ, if the
/// weights did not change, or if one is not finite.
int compare_bits(const PaperSizes& sizes, const CommonOptions& common);

}  // namespace cdt

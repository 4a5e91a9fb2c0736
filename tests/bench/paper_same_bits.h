// Does a recorded training step leave the bits of one launched kernel by kernel, and the same bits
// again?
#pragma once

#include "apps/common/cli.h"
#include "tests/bench/paper_world.h"

namespace cdt {

/// Trains a few steps recorded, launched one by one and recorded again, each in a process of its
/// own from the same weights. One JSON object on stdout; exit status 1 where the bits differ, where
/// the weights did not move, or where one is not finite.
int compare_bits(const PaperSizes& sizes, const CommonOptions& common);

}  // namespace cdt

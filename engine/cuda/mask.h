// Dropout masks on their way to kernels.
#pragma once

#include <cstdint>

namespace cdt {

/// A DropoutKey as kernels take it. The step is read from device memory, so that a recorded launch
/// draws the mask of the step it is replayed in.
struct Mask {
  std::uint32_t key0, key1, site, threshold;  // threshold 0: everything is kept
  float scale;
  const std::uint32_t* step;
};

}  // namespace cdt

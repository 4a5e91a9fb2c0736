// Random numbers for measuring programs: a few million, drawn once, that all tensors reuse. Zeros
// would give too good results, because they cost less power.
#pragma once

#include <cstdint>
#include <vector>

namespace cdt {

/// Uniform in [-0.5, 0.5), none of them 0. Their count is odd, so that the rows of a matrix differ.
inline const std::vector<float>& random_numbers() {
  constexpr std::size_t kCount = (std::size_t{1} << 22U) + 3;
  static const std::vector<float> numbers = [] {
    std::vector<float> drawn(kCount);
    std::uint64_t state = 0x9E3779B97F4A7C15U;
    for (float& x : drawn) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      x = (static_cast<float>(state >> 40U) + 0.5F) * 0x1p-24F - 0.5F;
    }
    return drawn;
  }();
  return numbers;
}

}  // namespace cdt

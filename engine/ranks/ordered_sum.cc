#include "engine/ranks/ordered_sum.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace cdt {

void add_in_order(const float* parts, int ranks, std::int64_t n, float* sums) {
  constexpr std::int64_t kBlock = 1024;  // whose float64 sums stay in the first-level cache
  std::array<double, kBlock> block{};
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t count = std::min(kBlock, n - begin);
    block.fill(0.0);
    for (int r = 0; r < ranks; ++r) {
      const float* const part = parts + r * n + begin;
      for (std::int64_t i = 0; i < count; ++i) block[static_cast<std::size_t>(i)] += part[i];
    }
    for (std::int64_t i = 0; i < count; ++i) {
      sums[begin + i] = static_cast<float>(block[static_cast<std::size_t>(i)]);
    }
  }
}

}  // namespace cdt

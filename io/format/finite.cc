#include "io/format/finite.h"

#include <algorithm>
#include <cmath>

namespace cdt {
namespace {
constexpr std::int64_t kBlock = 4096;
}  // namespace

std::int64_t first_non_finite(const float* values, std::int64_t count) {
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t end = std::min(begin + kBlock, count);
    int bad = 0;
    for (std::int64_t i = begin; i < end; ++i) bad |= std::isfinite(values[i]) ? 0 : 1;
    if (bad == 0) continue;
    for (std::int64_t i = begin; i < end; ++i) {
      if (!std::isfinite(values[i])) return i;
    }
  }
  return -1;
}

}  // namespace cdt

#include "engine/cuda/waves.h"

#include "engine/tensor.h"

namespace cdt {
namespace {

// What cuBLASLt takes for large products on Hopper.
constexpr std::int64_t kTileRows = 128;
constexpr std::int64_t kTileColumns = 256;

std::int64_t waves(std::int64_t rows, std::int64_t columns, std::int64_t multiprocessors) {
  return ceil_div(ceil_div(rows, kTileRows) * ceil_div(columns, kTileColumns), multiprocessors);
}

}  // namespace

std::int64_t feed_forward_part(std::int64_t rows, std::int64_t width, std::int64_t inner,
                               std::int64_t multiprocessors) {
  const std::int64_t least = ceil_div(rows, kMostPartRows);
  std::int64_t best = rows;
  std::int64_t best_cost = 0;
  for (std::int64_t parts = least; parts <= 2 * least + 1; ++parts) {
    // A wave of (r, width) x (width, inner) takes `width` multiplications deep, the product back
    // `inner`. The weights' gradients take the same in any parts.
    const std::int64_t part = ceil_div(rows, parts);
    const std::int64_t cost = parts * (waves(part, inner, multiprocessors) * width +
                                       waves(part, width, multiprocessors) * inner);
    if (parts > least && cost >= best_cost) continue;
    best = part;
    best_cost = cost;
  }
  return best;
}

}  // namespace cdt

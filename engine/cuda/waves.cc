#include "engine/cuda/waves.h"

#include "engine/tensor.h"

namespace cdt {
namespace {

constexpr int kLargeTile = 128;  // larger tile of split_product()

/// Estimated cost of a product of three-part operands, in multiply-adds of one multiprocessor.
double cost_of(const Gemm& g, const ProductCut& cut, std::int64_t multiprocessors) {
  constexpr double kFillDepth = 64.0;  // startup and finish of a tile, as elements of k
  // In a small tile each split number is used in half as many products.
  const double tile = cut.tile * cut.tile * (cut.tile == kLargeTile ? 1.0 : 1.5);
  const std::int64_t tiles = ceil_div(g.m, cut.tile) * ceil_div(g.n, cut.tile) * g.batch;
  const std::int64_t blocks = ceil_div(tiles * cut.slices, multiprocessors);
  // A block that is alone on its multiprocessor has no other to hide its memory and instruction
  // latency.
  const double turns = static_cast<double>(blocks) + (blocks % 2 == 1 ? 0.4 : 0.0);
  const double products = turns * tile * (static_cast<double>(cut.depth) + kFillDepth);
  if (cut.slices == 1) return products;
  // Each sum is written and read: 8 bytes, which take the time of some 86 multiply-adds over all
  // multiprocessors.
  constexpr double kSum = 86.0;
  return products + kSum * static_cast<double>(g.m * g.n * g.batch * (cut.slices + 1)) /
                        static_cast<double>(multiprocessors);
}

}  // namespace

ProductCut cut_product(const Gemm& g, std::int64_t multiprocessors) {
  constexpr std::int64_t kLeastDepth = 128;
  constexpr std::int64_t kMostSlices = 32;
  ProductCut best;
  double best_cost = 0.0;
  for (const int tile : {kLargeTile, kLargeTile / 2}) {
    for (std::int64_t slices = 1; slices <= kMostSlices; ++slices) {
      const std::int64_t depth = ceil_div(ceil_div(g.k, slices), 32) * 32;
      const bool fits = depth >= kLeastDepth && g.m * g.n * g.batch * slices <= kMostSliceFloats &&
                        ceil_div(g.k, depth) == slices;
      if (slices > 1 && !fits) continue;
      const ProductCut cut{tile, static_cast<int>(slices), depth};
      const double cost = cost_of(g, cut, multiprocessors);
      if (best.tile != 0 && cost >= best_cost) continue;
      best = cut;
      best_cost = cost;
    }
  }
  return best;
}

std::int64_t feed_forward_part(std::int64_t rows, std::int64_t width, std::int64_t inner,
                               std::int64_t multiprocessors, const PartTiles& tiles) {
  constexpr std::int64_t kTileRows = 128;
  const auto waves = [&](std::int64_t part, std::int64_t columns) {
    return ceil_div(ceil_div(part, kTileRows) * ceil_div(columns, tiles.columns), multiprocessors);
  };
  const std::int64_t least = ceil_div(rows, tiles.most_rows);
  std::int64_t best = rows;
  std::int64_t best_cost = 0;
  for (std::int64_t parts = least; parts <= 2 * least + 1; ++parts) {
    // A wave of (r, width) x (width, inner) takes time proportional to `width`, one of the product
    // back to `inner`. The weight gradients take the same time however many parts there are.
    const std::int64_t part = ceil_div(rows, parts);
    const std::int64_t cost = parts * (waves(part, inner) * width + waves(part, width) * inner);
    if (parts > least && cost >= best_cost) continue;
    best = part;
    best_cost = cost;
  }
  return best;
}

}  // namespace cdt

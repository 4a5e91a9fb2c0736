// How work that is cut into tiles fills a GPU: whole waves of one tile on each multiprocessor.
#pragma once

#include <cstdint>

#include "engine/kernel_types.h"

namespace cdt {

/// Rows of equal parts (the last may be shorter) in which a feed-forward net from `width` to
/// `inner` and back works on `rows` rows: at most kMostPartRows, in as few waves of tiles as
/// possible, then in as few parts.
std::int64_t feed_forward_part(std::int64_t rows, std::int64_t width, std::int64_t inner,
                               std::int64_t multiprocessors);

/// 74 tiles of 128 rows. 18,880 rows are two such parts, and take as many waves as in one.
inline constexpr std::int64_t kMostPartRows = 9472;

/// How a product is cut: into tiles of tile x tile of C, and k into equal slices (the last may be
/// shorter), whose sums are added afterwards.
struct ProductCut {
  int tile = 0, slices = 1;
  std::int64_t depth = 0;  // of a slice
};

/// The cut of split_product() that is expected to take the least time: a function of sizes and
/// multiprocessors alone.
ProductCut cut_product(const Gemm& g, std::int64_t multiprocessors);

/// Most floats in the sums of slices.
inline constexpr std::int64_t kMostSliceFloats = std::int64_t{16} << 20U;

}  // namespace cdt

// How tiled work fills a GPU: in whole waves of one tile per multiprocessor.
#pragma once

#include <cstdint>

#include "engine/kernel_types.h"

namespace cdt {

/// Width of the 128-row tiles that products are made of, and the most rows of a part.
struct PartTiles {
  std::int64_t columns, most_rows;
};
/// What cuBLASLt uses for large products on Hopper. 18,880 rows become two parts, which take as
/// many waves as one part would.
inline constexpr PartTiles kLibraryParts{256, std::int64_t{74} * 128};
/// For split_product(): 18,880 rows take 8 % fewer waves in one part, and memory is not short.
inline constexpr PartTiles kSplitParts{128, std::int64_t{148} * 128};

/// Returns the number of rows per part (the last may be shorter) with which a feed-forward net from
/// `width` to `inner` and back processes `rows` rows in the fewest waves of tiles; ties go to fewer
/// parts.
std::int64_t feed_forward_part(std::int64_t rows, std::int64_t width, std::int64_t inner,
                               std::int64_t multiprocessors, const PartTiles& tiles);

/// How a product is split: C into tiles of tile x tile, and k into equal slices (the last may be
/// shorter) whose sums are added afterwards.
struct ProductCut {
  int tile = 0, slices = 1;
  std::int64_t depth = 0;  // elements of k per slice
};

/// Returns the cut with which split_product() is expected to be fastest; it depends only on the
/// sizes and the number of multiprocessors.
ProductCut cut_product(const Gemm& g, std::int64_t multiprocessors);

/// Limit, in floats, on the sums of all slices.
inline constexpr std::int64_t kMostSliceFloats = std::int64_t{16} << 20U;

}  // namespace cdt

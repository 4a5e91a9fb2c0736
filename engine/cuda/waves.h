// How work that is cut into tiles fills a GPU: whole waves of one tile on each multiprocessor.
#pragma once

#include <cstdint>

#include "engine/kernel_types.h"

namespace cdt {

/// The tiles of 128 rows that products are made of, and how many rows a part has at most.
struct PartTiles {
  std::int64_t columns, most_rows;
};
/// What cuBLASLt takes for large products on Hopper. 18,880 rows are two parts, and take as many
/// waves as in one.
inline constexpr PartTiles kLibraryParts{256, std::int64_t{74} * 128};
/// split_product(), where 18,880 rows take 8 % fewer waves in one part; memory is not short.
inline constexpr PartTiles kSplitParts{128, std::int64_t{148} * 128};

/// Rows of equal parts (the last may be shorter) in which a feed-forward net from `width` to
/// `inner` and back works on `rows` rows: in as few waves of tiles as possible, then in as few
/// parts.
std::int64_t feed_forward_part(std::int64_t rows, std::int64_t width, std::int64_t inner,
                               std::int64_t multiprocessors, const PartTiles& tiles);

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

// How work that is cut into tiles fills a GPU: whole waves of one tile on each multiprocessor.
#pragma once

#include <cstdint>

namespace cdt {

/// Rows of equal parts (the last may be shorter) in which a feed-forward net from `width` to
/// `inner` and back works on `rows` rows: at most kMostPartRows, in as few waves of tiles as
/// possible, then in as few parts.
std::int64_t feed_forward_part(std::int64_t rows, std::int64_t width, std::int64_t inner,
                               std::int64_t multiprocessors);

/// 74 tiles of 128 rows. 18,880 rows are two such parts, and take as many waves as in one.
inline constexpr std::int64_t kMostPartRows = 9472;

}  // namespace cdt

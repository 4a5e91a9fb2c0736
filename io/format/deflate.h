// What gzip and zip have in common: deflate (RFC 1951).
#pragma once

#include <cstdint>

namespace cdt {

/// The most deflate can shrink (zlib documentation).
inline constexpr std::uint64_t kDeflateRatio = 1032;

}  // namespace cdt

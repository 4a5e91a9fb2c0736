// gzip (RFC 1952): blobs of known size, and text that may be gzip-compressed. One member or several
// are read, each with its checksum; a file that ends within a member, or goes on with something
// else after one, is refused. So is a bgzip file (SAM specification, section 4.1) that lacks the
// empty block at its end: its members are blocks, and a cut between two of them shows nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "io/format/text_file.h"

namespace cdt {

/// The most deflate (RFC 1951), of gzip and zip, can shrink (zlib documentation).
inline constexpr std::uint64_t kDeflateRatio = 1032;

/// Unpacks a gzip file that holds exactly `count` little-endian float32. InputError: not gzip,
/// damaged or cut short, more or fewer bytes. A count the file cannot hold is refused before
/// memory is taken.
std::vector<float> read_gzip_floats(const std::filesystem::path& path, std::size_t count);

/// A gzip text of over a mebibyte may unpack to this many times its size: no text that people write
/// comes near, and a file made to fill the memory is stopped.
inline constexpr std::size_t kTextRatio = 32;

/// The text of a file, unpacked on the way if it is gzip. InputError: as open_plain(), damaged or
/// cut short, over `limit` bytes or kTextRatio unpacked.
std::unique_ptr<ByteStream> open_text_or_gzip(const std::filesystem::path& path, std::size_t limit);

}  // namespace cdt

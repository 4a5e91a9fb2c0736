// gzip (RFC 1952): blobs of known size, and text that may be gzip-compressed. A file may have
// several members, each with its checksum; a file that ends within a member, or has something else
// after one, is refused. So is a bgzip file (SAM specification, section 4.1) without the empty
// block at its end: its members are blocks, and a cut between two of them shows nowhere else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "io/format/text_file.h"

namespace cdt {

/// Highest compression ratio of deflate (RFC 1951), in gzip and zip alike (zlib documentation).
inline constexpr std::uint64_t kDeflateRatio = 1032;

/// Decompresses a gzip file that holds exactly `count` little-endian float32. Throws InputError if
/// it is not gzip, is damaged or cut short, or holds more or fewer bytes. A count that the file
/// cannot hold is refused before memory is allocated.
std::vector<float> read_gzip_floats(const std::filesystem::path& path, std::size_t count);

/// Highest compression ratio accepted for a gzip text of more than 1 MiB: no real text comes near
/// it, and a file made to fill the memory is stopped.
inline constexpr std::size_t kTextRatio = 32;

/// Opens a text file, decompressing it if it is gzip. Throws InputError as open_plain(), and for
/// damage, a file cut short, or text over `limit` bytes or kTextRatio.
std::unique_ptr<ByteStream> open_text_or_gzip(const std::filesystem::path& path, std::size_t limit);

/// The lines of a text file that may be gzip. Throws InputError as open_text_or_gzip().
LineFile lines_of_text_or_gzip(const std::filesystem::path& path,
                               std::size_t limit = std::size_t{1} << 30U);

}  // namespace cdt

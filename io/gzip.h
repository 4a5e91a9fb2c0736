// gzip-compressed blobs of known size, and text that may be gzip-compressed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace cdt {

/// Unpacks a gzip file that holds exactly `count` little-endian float32. InputError: not gzip,
/// damaged or cut short, more or fewer bytes. A count the file cannot hold is refused before
/// memory is taken.
std::vector<float> read_gzip_floats(const std::filesystem::path& path, std::size_t count);

/// The whole text of a file, unpacked if it is gzip (one member or several, as bgzip writes).
/// InputError: as read_text_file(), damaged or cut short, over `limit` bytes unpacked.
std::string read_text_or_gzip(const std::filesystem::path& path, std::size_t limit);

}  // namespace cdt

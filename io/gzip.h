// gzip-compressed blobs of known size.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

namespace cdt {

/// Unpacks a gzip file that holds exactly `count` little-endian float32. InputError: not gzip,
/// damaged or cut short, more or fewer bytes. A count the file cannot hold is refused before
/// memory is taken.
std::vector<float> read_gzip_floats(const std::filesystem::path& path, std::size_t count);

}  // namespace cdt

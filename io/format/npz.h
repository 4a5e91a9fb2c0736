// Arrays of NumPy's .npz files: zip archives (PKWARE APPNOTE 6.3) of .npy members, stored or
// deflated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cdt {

/// An array of integers, in C order.
struct NpyIntegers {
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> values;
};

/// Reads array `name` of an archive made by numpy.savez or savez_compressed; other members may hold
/// anything. Accepts integers and booleans of any size and floats that are whole numbers, of either
/// byte order, in C or Fortran order. `limit_bytes` bounds the decompressed size and is checked
/// before anything is allocated. Throws InputError naming the file and the member (missing, text or
/// objects, a value that is no 64-bit integer, CRC mismatch, encryption, zip64) or "archive" (no
/// zip archive, cut short, members missing from its directory).
NpyIntegers read_npz_integers(const std::filesystem::path& path, const std::string& name,
                              std::size_t limit_bytes);

}  // namespace cdt

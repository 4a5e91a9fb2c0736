// Arrays of NumPy's .npz files: zip archives (PKWARE APPNOTE 6.3) of .npy members, stored or
// deflated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cdt {

/// An array of whole numbers, in C order.
struct NpyIntegers {
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> values;
};

/// Array `name` of an archive made by numpy.savez or savez_compressed; other members may hold
/// anything. Integers and booleans of any size, floats that are whole numbers, either byte order, C
/// or Fortran order. `limit_bytes` bounds its unpacked size and is checked before anything is
/// allocated. InputError names the file and the member: missing, text or objects, a value that is
/// no whole number of 64 bits, damage (CRC), encryption, zip64; or "archive": no zip archive, cut
/// short, members that its directory leaves out.
NpyIntegers read_npz_integers(const std::filesystem::path& path, const std::string& name,
                              std::size_t limit_bytes);

}  // namespace cdt

// NumPy files: .npy written as a stream, arrays of .npz archives read (numpy/lib/format.py, version
// 1.0 to 3.0; PKZIP application note for the archive).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/format/atomic_file.h"

namespace cdt {

/// Writes float32 ('<f4'), C order, format version 1.0; values arrive in order, in any pieces.
class NpyWriter {
 public:
  NpyWriter(const std::filesystem::path& path, const std::vector<std::int64_t>& shape);
  void append(const float* values, std::int64_t count);
  /// Exactly the product of the shape must have been appended.
  void commit();

 private:
  AtomicFile file_;
  std::int64_t left_ = 1;
};

/// An array of whole numbers, in C order.
struct NpyIntegers {
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> values;
};

/// Array `name` of an archive made by numpy.savez or savez_compressed; other members may hold
/// anything. Integers and booleans of any size, floats that are whole numbers, either byte order, C
/// or Fortran order. `limit_bytes` bounds its unpacked size. InputError names the file and the
/// member: missing, text or objects, a value that is no whole number of 64 bits, damage (CRC),
/// encryption, zip64.
NpyIntegers read_npz_integers(const std::filesystem::path& path, const std::string& name,
                              std::size_t limit_bytes);

}  // namespace cdt

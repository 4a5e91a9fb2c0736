// NumPy files: .npy written as a stream, small .npz archives read (numpy/lib/format.py, version
// 1.0 to 3.0; PKZIP application note for the archive).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "io/atomic_file.h"

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

/// One array: `integers` (dtypes i4, i8) or `reals` (f4, f8) holds the values in C order.
struct NpyArray {
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> integers;
  std::vector<double> reals;
  bool is_integer = false;
};

/// All members of an archive made by numpy.savez or savez_compressed, by name without ".npy".
/// `limit_bytes` bounds the unpacked size of all members together. InputError names the file and
/// the member: other dtypes (objects too), Fortran order, damage (CRC), encryption, zip64.
std::map<std::string, NpyArray> read_npz(const std::filesystem::path& path,
                                         std::size_t limit_bytes);

}  // namespace cdt

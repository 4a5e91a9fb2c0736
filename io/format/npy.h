// NumPy's .npy files (numpy/lib/format.py, versions 1.0 to 3.0): float32 arrays written as a stream
// and read row by row, and the header of any array.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/format/file.h"
#include "io/format/output.h"

namespace cdt {

struct NpyHeader {
  std::string descr;           // "<f4": byte order, kind (b, i, u, f, or V of two bytes), bytes
  std::size_t item_bytes = 0;  // of one value
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::size_t data_begin = 0;  // offset in bytes of the first value
};

/// Upper bound on the size of a header, far more than NumPy writes.
inline constexpr std::size_t kNpyHeaderRoom = std::size_t{1} << 20U;

/// Parses the header of an npy file of `size` bytes that begins with `head`, its first
/// kNpyHeaderRoom bytes. Throws InputError(file, member, ...) on a dtype that is neither a number
/// nor V2 (two bytes without a type), on damage, and on a size that does not match the shape.
NpyHeader read_npy_header(std::string_view head, std::size_t size, const std::string& file,
                          const std::string& member);

/// Writes a float32 ('<f4') array in C order, format version 1.0; values arrive in order, in pieces
/// of any size.
class NpyWriter {
 public:
  NpyWriter(const std::filesystem::path& path, const std::vector<std::int64_t>& shape);
  void append(const float* values, std::int64_t count);
  /// Writes the rest and syncs the file (AtomicFile); exactly as many values as the shape holds
  /// must have been appended.
  void flush_to_disk();
  /// Calls flush_to_disk() and gives the file its name.
  void commit();

 private:
  AtomicFile file_;
  std::int64_t left_ = 1;
};

/// A float32 array read row by row, so that the file may be larger than memory.
class NpyFile {
 public:
  /// Opens the file. Throws InputError naming it if it is not npy, has a dtype other than float32,
  /// is in Fortran order, is damaged, or has rank 0.
  explicit NpyFile(std::filesystem::path file);

  const std::vector<std::int64_t>& shape() const { return shape_; }
  /// Throws InputError unless the shape is `expected`.
  void expect_shape(const std::vector<std::int64_t>& expected) const;
  /// Values of entry `index` of the first axis, in C order. Throws InputError on NaN or infinity,
  /// Error if the file was cut short since it was opened.
  std::vector<float> row(std::int64_t index) const;
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  InputFile file_;
  std::vector<std::int64_t> shape_;
  std::size_t data_begin_ = 0;
  std::size_t row_values_ = 1;
};

}  // namespace cdt

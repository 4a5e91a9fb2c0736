// Arrays of floating-point numbers read row by row (a row is an entry of the first axis), whatever
// the file format: npy and npz (npy_rows.h) or HDF5 (hdf5/rows.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cdt {

/// Options for opening such an array.
struct FloatRowsOptions {
  /// Treat untyped two-byte values as bfloat16, which NumPy (V2) and HDF5 (opaque) know only by
  /// size.
  bool void_is_bfloat16 = false;
  /// Largest array in Fortran order, in bytes: its rows are scattered over the file, so it is held
  /// in memory as a whole; larger ones are refused.
  std::size_t fortran_limit = std::size_t{64} << 20U;
};

class FloatRows {
 public:
  /// Most bytes that a row may take as float32.
  static constexpr std::int64_t kMaxRowBytes = std::int64_t{1} << 30;

  virtual ~FloatRows() = default;
  FloatRows(const FloatRows&) = delete;
  FloatRows& operator=(const FloatRows&) = delete;

  const std::string& file() const { return file_; }
  /// Name of the array in the file, as error messages give it.
  const std::string& field() const { return field_; }
  /// Shape: at least one axis, no axis of size 0.
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t rows() const { return shape_.front(); }
  /// Values per row: the product of the other axes.
  std::int64_t row_values() const { return row_values_; }
  /// Type stored in the file: "float16", "bfloat16", "float32" or "float64".
  const std::string& type() const { return type_; }
  /// Whether the values were taken for bfloat16 because of void_is_bfloat16.
  bool is_untyped() const { return untyped_; }

  /// Names value `index` of a row: "dna[3,0,17]".
  std::string at(std::int64_t row, std::int64_t index) const;

  /// Reads row `row` in C order as float32; float64 is rounded. Rows must be read in ascending
  /// order. Throws InputError "FIELD[ROW,...]" on NaN, infinity, a value too large for float32, or
  /// damage.
  void read(std::int64_t row, float* out);
  /// Call after the last row that is needed; throws InputError if the rest of the file is damaged.
  virtual void finish() {}

 protected:
  FloatRows(std::string file, std::string field);
  /// Sets the shape; throws InputError if the array has no axis, no value, or rows beyond
  /// kMaxRowBytes.
  void set_shape(std::vector<std::int64_t> shape);
  void set_type(std::string type, bool untyped = false);
  [[noreturn]] void fail(const std::string& what) const;

 private:
  virtual void read_values(std::int64_t row, float* out) = 0;

  std::string file_, field_, type_;
  std::vector<std::int64_t> shape_;
  std::int64_t row_values_ = 1;
  std::int64_t next_ = 0;  // the next row that may be read
  bool untyped_ = false;
};

}  // namespace cdt

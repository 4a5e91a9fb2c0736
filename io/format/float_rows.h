// Arrays of floating-point numbers that are read by rows, the entries of their first axis, whatever
// file they lie in: npy and npz (npy_rows.h), HDF5 (hdf5/rows.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cdt {

/// What a reader of such arrays is told.
struct FloatRowsOptions {
  /// Two-byte values of no type are bfloat16, which NumPy (V2) and HDF5 (opaque) know by size only.
  bool void_is_bfloat16 = false;
  /// An array in Fortran order, whose rows lie scattered, is held whole up to so many bytes and
  /// refused beyond.
  std::size_t fortran_limit = std::size_t{64} << 20U;
};

class FloatRows {
 public:
  /// A row takes this many bytes as float32 at most.
  static constexpr std::int64_t kMaxRowBytes = std::int64_t{1} << 30;

  virtual ~FloatRows() = default;
  FloatRows(const FloatRows&) = delete;
  FloatRows& operator=(const FloatRows&) = delete;

  const std::string& file() const { return file_; }
  /// The array's name in the file, as errors give it.
  const std::string& field() const { return field_; }
  /// At least one axis, no axis of size 0.
  const std::vector<std::int64_t>& shape() const { return shape_; }
  std::int64_t rows() const { return shape_.front(); }
  /// Product of the other axes.
  std::int64_t row_values() const { return row_values_; }
  /// "float16", "bfloat16", "float32" or "float64": what the file holds.
  const std::string& type() const { return type_; }
  /// Were the values taken for bfloat16 because void_is_bfloat16 said so?
  bool is_untyped() const { return untyped_; }

  /// "dna[3,0,17]" for value `index` of a row.
  std::string at(std::int64_t row, std::int64_t index) const;

  /// Row `row` in C order as float32; float64 is rounded. Rows are read in rising order. InputError
  /// "FIELD[ROW,...]" on NaN, infinity and what is too large for a float32, or on damage.
  void read(std::int64_t row, float* out);
  /// After the last row that is wanted. InputError if the rest of the file tells of damage.
  virtual void finish() {}

 protected:
  FloatRows(std::string file, std::string field);
  /// InputError if the array has no axis, no value, or rows beyond kMaxRowBytes.
  void set_shape(std::vector<std::int64_t> shape);
  void set_type(std::string type, bool untyped = false);
  [[noreturn]] void fail(const std::string& what) const;

 private:
  virtual void read_values(std::int64_t row, float* out) = 0;

  std::string file_, field_, type_;
  std::vector<std::int64_t> shape_;
  std::int64_t row_values_ = 1;
  std::int64_t next_ = 0;  // the first row that may still be read
  bool untyped_ = false;
};

}  // namespace cdt

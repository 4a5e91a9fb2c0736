// What is known of an HDF5 data set before its values are read: the same in the process that reads
// HDF5 (Hdf5Dataset) and in the one that asks it (Hdf5DatasetProxy).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace cdt {

class Hdf5Description {
 public:
  static constexpr std::int64_t kMaxDimension = std::int64_t{1} << 31;
  static constexpr std::size_t kMaxRank = 32;  // of HDF5
  /// Most memory for a data set that is read as a whole.
  static constexpr std::int64_t kMaxWholeBytes = std::int64_t{1} << 30;

  const std::vector<std::int64_t>& shape() const { return shape_; }
  /// Name of the data set, and "name[row]", as error messages give them.
  const std::string& name() const { return name_; }
  std::string at(std::int64_t row) const;
  const std::string& file() const { return file_; }

  /// Throws InputError unless the shape is `sizes`; kAnySize matches any size.
  void require_shape(const std::vector<std::int64_t>& sizes) const;
  /// Values of one entry of the first axis; throws InputError if they take more than kMaxWholeBytes
  /// as float32.
  std::size_t row_values() const;

 protected:
  Hdf5Description(std::string file, std::string name);
  /// Adds an axis; throws InputError if it is empty or longer than kMaxDimension.
  void add_axis(std::uint64_t size);
  /// Number of all values; throws InputError if they take more than kMaxWholeBytes.
  std::size_t whole_values(std::size_t value_bytes) const;
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::size_t values_from(std::size_t axis, std::size_t value_bytes) const;

  std::string file_, name_;
  std::vector<std::int64_t> shape_;
};

}  // namespace cdt

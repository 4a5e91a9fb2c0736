// A float32 npy file read by rows, so that a file larger than memory serves too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/format/file.h"

namespace cdt {

class NpyFile {
 public:
  /// Opens the file; InputError naming it: not npy, another dtype than float32, Fortran order,
  /// damage, rank 0.
  explicit NpyFile(std::filesystem::path file);

  const std::vector<std::int64_t>& shape() const { return shape_; }
  /// InputError unless this is the shape.
  void expect_shape(const std::vector<std::int64_t>& expected) const;
  /// Values of entry `index` of the first axis, C order. InputError on NaN or infinity, Error if
  /// the file was cut short since it was opened.
  std::vector<float> row(std::int64_t index) const;
  const std::filesystem::path& path() const { return file_.path(); }

 private:
  InputFile file_;
  std::vector<std::int64_t> shape_;
  std::size_t data_begin_ = 0;
  std::size_t row_values_ = 1;
};

}  // namespace cdt

// The expected content of the arrays in tests/arrays.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "io/format/float_rows.h"

namespace cdt::test {

/// Values `begin`, `begin` + 1, ... of an array in C order, as record_arrays.py writes them.
inline std::vector<float> recorded_values(std::int64_t begin, std::int64_t count) {
  std::vector<float> out;
  for (std::int64_t i = begin; i < begin + count; ++i) {
    out.push_back(static_cast<float>(37 * i % 101 - 50) / 8.0F);
  }
  return out;
}

inline void expect_recorded(FloatRows& rows, const std::vector<std::int64_t>& shape) {
  ASSERT_EQ(rows.shape(), shape);
  const std::int64_t width = rows.row_values();
  std::vector<float> got(static_cast<std::size_t>(width));
  for (std::int64_t row = 0; row < rows.rows(); ++row) {
    rows.read(row, got.data());
    EXPECT_EQ(got, recorded_values(row * width, width)) << row;
  }
}

}  // namespace cdt::test

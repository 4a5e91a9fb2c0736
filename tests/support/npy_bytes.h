// NumPy files made byte by byte.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/zip_bytes.h"

namespace cdt::test {

/// A version 1.0 file with this header, followed by these bytes.
inline std::string npy_of(const std::string& header, std::string_view data) {
  return std::string("\x93NUMPY\x01\x00", 8) + number(header.size(), 2) + header +
         std::string(data);
}

/// `shape` as Python writes it: "(2, 3)". The data start at byte 128.
inline std::string npy(const std::string& descr, const std::string& shape, std::string_view data,
                       const std::string& fortran = "False") {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
  header.resize(117, ' ');
  return npy_of(header + "\n", data);
}

template <typename Float>
std::string npy_array(const char* descr, const std::vector<int>& shape,
                      const std::vector<Float>& values) {
  std::string sizes;
  for (const int size : shape) sizes += std::to_string(size) + ",";
  return npy(descr, "(" + sizes + ")",
             {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Float)});
}
inline std::string npy_floats(const std::vector<int>& shape, const std::vector<float>& values) {
  return npy_array("<f4", shape, values);
}
inline std::string npy_doubles(const std::vector<int>& shape, const std::vector<double>& values) {
  return npy_array("<f8", shape, values);
}

}  // namespace cdt::test

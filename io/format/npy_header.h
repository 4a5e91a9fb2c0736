// The header of an npy array (numpy/lib/format.py, version 1.0 to 3.0).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cdt {

struct NpyHeader {
  std::string descr;           // "<f4": byte order, kind (b, i, u, f), bytes
  std::size_t item_bytes = 0;  // of one value
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
  std::size_t data_begin = 0;  // byte at which the values start
};

/// Of an npy file of `size` bytes that begins with `head`; InputError(file, member, ...) on a dtype
/// that is no number, damage, or a size other than the shape's.
NpyHeader read_npy_header(std::string_view head, std::size_t size, const std::string& file,
                          const std::string& member);

}  // namespace cdt

// NumPy arrays of floats read row by row: .npy files, and members of .npz archives, which are
// decompressed as they are read. Accepts float16, float32 and float64 of either byte order,
// bfloat16 if the caller vouches for it, C order, and Fortran order as long as the array may be
// held in memory.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/format/float_rows.h"

namespace cdt {

/// Opens a .npy file. Throws InputError naming the file and "array": not npy, an unsupported dtype,
/// Fortran order, or a size that does not match the shape. Rows that are not asked for are not
/// read.
std::unique_ptr<FloatRows> open_npy_rows(const std::filesystem::path& path,
                                         const FloatRowsOptions& options = {});

/// Opens array `name` of an archive, or with "" its only one. Members are read front to back;
/// finish() verifies their checksum. Throws InputError as above with the name of the member, and if
/// that is missing or was left out although there are several.
std::unique_ptr<FloatRows> open_npz_rows(const std::filesystem::path& path, const std::string& name,
                                         const FloatRowsOptions& options = {});

}  // namespace cdt

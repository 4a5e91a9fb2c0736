// NumPy arrays of floats read by rows: .npy files, and members of .npz archives, which are unpacked
// on the way. float16, float32 and float64 of either byte order, bfloat16 where the caller vouches
// for it; C order, and Fortran order as far as it may be held whole.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/format/float_rows.h"

namespace cdt {

/// InputError names the file and "array": not npy, another dtype, Fortran order, a size other than
/// the shape's. Rows that nobody asks for are not read.
std::unique_ptr<FloatRows> open_npy_rows(const std::filesystem::path& path,
                                         const FloatRowsOptions& options = {});

/// Array `name` of an archive, "" for the only one. Members are read front to back and their
/// checksum is checked in finish(). InputError as above with the member's name, which is missing,
/// or left out where there are several.
std::unique_ptr<FloatRows> open_npz_rows(const std::filesystem::path& path, const std::string& name,
                                         const FloatRowsOptions& options = {});

}  // namespace cdt

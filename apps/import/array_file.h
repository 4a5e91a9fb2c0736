// An array that an option names as FILE[:NAME].
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "io/format/float_rows.h"

namespace cdt {

struct ArrayFile {
  enum class Kind : std::uint8_t { kNpy, kNpz, kHdf5 };

  std::filesystem::path path;
  std::string name;  // of the array in the file, "" if none was given
  Kind kind = Kind::kNpy;
};

/// The last colon before which there is a file ends its name, unless all of `given` is a file. What
/// kind of file it is, its first bytes tell. InputError naming the file: missing, none of the
/// three, a NAME for an .npy.
ArrayFile find_array(const std::filesystem::path& given);

/// HDF5 files are not to be trusted: only below import_sandboxed().
std::unique_ptr<FloatRows> open_array(const ArrayFile& array, const FloatRowsOptions& options);

}  // namespace cdt

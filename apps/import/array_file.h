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

/// Finds the array. A name follows the last colon before which there is a file, unless all of
/// `given` is a file. The first bytes tell the kind of file. Throws InputError naming the file if
/// it is missing, of no supported kind, or an .npy with a name.
ArrayFile find_array(const std::filesystem::path& given);

/// Opens the array.
std::unique_ptr<FloatRows> open_array(const ArrayFile& array, const FloatRowsOptions& options);

}  // namespace cdt

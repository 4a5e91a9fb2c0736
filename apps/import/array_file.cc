#include "apps/import/array_file.h"

#include <system_error>

#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/hdf5/rows.h"
#include "io/format/hdf5/signature.h"
#include "io/format/npy_rows.h"
#include "io/format/text_file.h"

namespace cdt {
namespace {

ArrayFile::Kind kind_of(const std::filesystem::path& path) {
  const InputFile file(path);
  const std::string first = file.head(kHeadBytes);
  if (first.starts_with("\x93NUMPY")) return ArrayFile::Kind::kNpy;
  if (first.starts_with("PK")) return ArrayFile::Kind::kNpz;
  if (has_hdf5_signature(file)) return ArrayFile::Kind::kHdf5;
  refuse_foreign(path, first);
  throw InputError(path.string(), "format", "is not an .npy, .npz or HDF5 file");
}

bool is_file(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error) && !std::filesystem::is_directory(path, error);
}

/// Splits a given path into file and array name; the kind of file is not known yet.
ArrayFile file_and_name(const std::filesystem::path& given) {
  const std::string& text = given.native();
  if (is_file(given)) return {given, ""};
  for (std::size_t colon = text.rfind(':'); colon != std::string::npos && colon > 0;
       colon = text.rfind(':', colon - 1)) {
    if (is_file(text.substr(0, colon))) return {text.substr(0, colon), text.substr(colon + 1)};
  }
  const std::size_t colon = text.rfind(':');
  return {colon == std::string::npos || colon == 0 ? text : text.substr(0, colon), ""};
}

}  // namespace

ArrayFile find_array(const std::filesystem::path& given) {
  ArrayFile array = file_and_name(given);
  array.kind = kind_of(array.path);
  if (array.kind == ArrayFile::Kind::kNpy && !array.name.empty()) {
    throw InputError(array.path.string(), array.name,
                     "an .npy file has one array, which has no name");
  }
  return array;
}

std::unique_ptr<FloatRows> open_array(const ArrayFile& array, const FloatRowsOptions& options) {
  switch (array.kind) {
    case ArrayFile::Kind::kNpy:
      return open_npy_rows(array.path, options);
    case ArrayFile::Kind::kNpz:
      return open_npz_rows(array.path, array.name, options);
    case ArrayFile::Kind::kHdf5:
      break;
  }
  return open_hdf5_rows(array.path, array.name, options);
}

}  // namespace cdt

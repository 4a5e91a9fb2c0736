// Replaces the HDF5 part of the import where HDF5 is not installed.
#include "apps/import/hdf5_version.h"
#include "apps/import/published/import.h"
#include "engine/error.h"
#include "io/format/hdf5/rows.h"

namespace cdt {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file) {
  throw InputError(file.string(), "HDF5",
                   "is not read by this build, which found no HDF5 library (third_party/install.sh "
                   "libhdf5-dev, then make)");
}

}  // namespace

std::unique_ptr<FloatRows> open_hdf5_rows(const std::filesystem::path& path,
                                          const std::string& /*name*/,
                                          const FloatRowsOptions& /*options*/) {
  refuse(path);
}

Versions hdf5_version() { return {}; }

void run_published_import(const ImportOptions& options) { refuse(options.dna); }

}  // namespace cdt

#include "apps/import/hdf5_version.h"

#include <hdf5.h>

#include <string>

namespace cdt {

Versions hdf5_version() {
  unsigned major = 0;
  unsigned minor = 0;
  unsigned release = 0;
  if (H5get_libversion(&major, &minor, &release) < 0) return {};
  return {{"HDF5",
           std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(release)}};
}

}  // namespace cdt

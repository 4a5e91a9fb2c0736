// The HDF5 library as it goes into provenance.json.
#pragma once

#include "apps/common/provenance.h"

namespace cdt {

/// Name and version of the HDF5 library; nothing in a build without it (no_hdf5.cc).
Versions hdf5_version();

}  // namespace cdt

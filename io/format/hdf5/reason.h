// Why the last HDF5 call failed.
#pragma once

#include <string>

namespace cdt {

/// The innermost message of HDF5's error stack, which is then emptied.
std::string hdf5_reason();

}  // namespace cdt

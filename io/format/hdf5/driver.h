// An HDF5 file driver that reads a file by its open descriptor, with pread and no other system
// call: the library needs no name, and opens nothing.
#pragma once

#include <memory>

#include "io/format/file.h"
#include "io/format/hdf5/hdf5.h"

namespace cdt {

/// File access properties with which H5Fopen reads this file, whatever name it is given. `file`
/// must exist until then; what it points to stays open as long as HDF5 uses it.
Hdf5Handle descriptor_access(const std::shared_ptr<const InputFile>& file);

/// Makes the driver known to HDF5, if it is not yet: once per process.
hid_t descriptor_driver();

}  // namespace cdt

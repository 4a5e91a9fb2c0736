// An HDF5 data set of floats as an array read row by row, by a sandboxed process (proxy.h). This
// header needs no library.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/format/float_rows.h"

namespace cdt {

/// Opens data set `name` ("group/name"), or with "" the only one in the file. Throws InputError
/// naming the file and the data set: missing (the message lists those there are), no floats, or a
/// row of more than 256 MiB. Memory of the
/// process: one row and the chunks that cover it (at most Hdf5Dataset::kChunkCacheBytes).
std::unique_ptr<FloatRows> open_hdf5_rows(const std::filesystem::path& path,
                                          const std::string& name,
                                          const FloatRowsOptions& options = {});

}  // namespace cdt

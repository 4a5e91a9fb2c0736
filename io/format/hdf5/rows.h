// A data set of floats as an array read by rows. What is said of untrusted files in hdf5.h holds
// here; this header needs no library.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "io/format/float_rows.h"

namespace cdt {

/// Data set `name` ("group/name"), "" for the only one of the file. InputError names the file and
/// the data set: missing, with those there are; no floats; a row of more than 256 MiB. Memory: a
/// row and the chunks that cover it (Hdf5Dataset::kChunkCacheBytes at most).
std::unique_ptr<FloatRows> open_hdf5_rows(const std::filesystem::path& path,
                                          const std::string& name,
                                          const FloatRowsOptions& options = {});

}  // namespace cdt

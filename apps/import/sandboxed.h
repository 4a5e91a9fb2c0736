// The part of an import that needs the HDF5 library; no_hdf5.cc replaces it where there is none.
#pragma once

#include <filesystem>
#include <functional>

#include "apps/common/provenance.h"

namespace cdt {

/// Runs import() in a sandboxed child process, which prints its own errors. Returns the exit code.
/// If the child dies, what it had begun to write to `out` is removed, then as run_sandboxed().
/// `file` is an HDF5 file that import() reads; a build without HDF5 throws InputError naming it.
int import_sandboxed(const std::filesystem::path& out, const std::filesystem::path& file,
                     const std::function<void()>& import);

/// Name and version of the HDF5 library; nothing in a build without it.
Versions hdf5_version();

}  // namespace cdt

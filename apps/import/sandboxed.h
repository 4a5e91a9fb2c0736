// What of an import needs the HDF5 library; no_hdf5.cc stands in where there is none.
#pragma once

#include <filesystem>
#include <functional>

namespace cdt {

/// import() in a sandboxed child process, which prints its own errors. Returns the exit code. When
/// the child dies, what it had begun to write to `out` is removed, then as run_sandboxed(). `file`
/// is an HDF5 file that import() reads: InputError names it where this build has no HDF5.
int import_sandboxed(const std::filesystem::path& out, const std::filesystem::path& file,
                     const std::function<void()>& import);

}  // namespace cdt

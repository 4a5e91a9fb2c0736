// The work of the process that reads HDF5: answers requests (protocol.h) about one file.
#pragma once

#include <memory>

#include "io/format/file.h"
#include "io/format/hdf5/sandbox.h"

namespace cdt {

/// Answers until the parent is gone.
[[noreturn]] void serve_hdf5(const std::shared_ptr<const InputFile>& file, const SandboxEnds& ends);

}  // namespace cdt

// Opens the device a command line asks for.
#pragma once

#include <memory>

#include "apps/common/cli.h"
#include "engine/backend.h"

namespace cdt {

/// --device auto takes a GPU if there is one, else the CPU. InputError (one line naming the option)
/// for a device that is not there and for a precision the device does not compute in: the CPU
/// computes in fp32 only. With --profile it keeps a profile (engine/profiler.h).
std::unique_ptr<Backend> open_backend(const CommonOptions& options);

}  // namespace cdt

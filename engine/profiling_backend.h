// A decorator that profiles another backend.
#pragma once

#include <memory>

#include "engine/backend.h"
#include "engine/profiler.h"

namespace cdt {

/// Passes every call on to `device`, and keeps a profile of the kernels: Backend::profiler().
std::unique_ptr<Backend> make_profiling_backend(std::unique_ptr<Backend> device);

}  // namespace cdt

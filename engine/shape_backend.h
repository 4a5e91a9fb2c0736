// A device that computes nothing: its tensors have addresses but no memory, its kernels look at
// shapes alone. What a program asks of it, arenas count: a step that runs on it shows what memory
// the same step takes on the device it stands for.
#pragma once

#include <memory>

#include "engine/backend.h"

namespace cdt {

/// Stands for `device`, which answers what types activations have and what its kernels take from
/// scratch, and must outlive it. Downloads are zeros.
std::unique_ptr<Backend> make_shape_backend(Backend& device);

}  // namespace cdt

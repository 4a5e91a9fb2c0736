// A device that computes nothing: its tensors have addresses but no memory, its kernels look at
// shapes alone. What a program asks of it, arenas count: a step that runs on it shows what memory
// the same step takes on the device it stands for.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/backend.h"

namespace cdt {

/// Stands for `device`, which answers what types activations have, what its kernels take from
/// scratch and whether it has memory of its own, of which none is free; it must outlive this.
/// Downloads are zeros. Host memory reserved here has no memory behind it either; host_bytes, if
/// given, counts it.
std::unique_ptr<Backend> make_shape_backend(Backend& device, std::size_t* host_bytes = nullptr);

}  // namespace cdt

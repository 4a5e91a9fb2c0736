// Replaces the CUDA toolkit's header of this name: the part of the runtime that the engine uses,
// running on the host. tests/emulation/emulation.h says what it checks.
#pragma once

#include "tests/emulation/include/device_functions.h"
#include "tests/emulation/include/device_language.h"
#include "tests/emulation/include/library_types.h"
#include "tests/emulation/include/ptx_functions.h"
#include "tests/emulation/include/runtime_api.h"

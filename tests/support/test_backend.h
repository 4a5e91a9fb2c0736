// The backend that device-independent tests run on.
#pragma once

#include <memory>

#include "engine/backend.h"

namespace cdt::test {

/// The CPU, or what the environment says: CDT_TEST_DEVICE=cuda, and CDT_TEST_PRECISION=fp32
/// (default) or tf32.
std::unique_ptr<Backend> make_test_backend();

}  // namespace cdt::test

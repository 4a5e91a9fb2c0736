// The backend that device-independent tests run on.
#pragma once

#include <memory>

#include "engine/backend.h"

namespace cdt::test {

/// The CPU, or what the environment says: CDT_TEST_DEVICE=cuda or cuda:1, in the precision of
/// tests/support/precision.h. InputError where it says something else.
std::unique_ptr<Backend> make_test_backend();

/// t in the type of activations: itself, or a rounded copy.
Tensor as_activation(Backend& backend, Arena& arena, const Tensor& t);

}  // namespace cdt::test

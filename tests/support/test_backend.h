// The backend that device-independent tests run on.
#pragma once

#include <memory>

#include "engine/backend.h"

namespace cdt::test {

/// The CPU, or the device in CDT_TEST_DEVICE (cuda or cuda:1), in the precision of
/// tests/support/precision.h. InputError if the variable has another value.
std::unique_ptr<Backend> make_test_backend();

/// t in the type of activations: t itself, or a rounded copy.
Tensor as_activation(Backend& backend, Arena& arena, const Tensor& t);

}  // namespace cdt::test

// Cases of the ops of the head and the loss, for the tests that check every op (op_case.h).
#pragma once

#include <vector>

#include "tests/support/op_case.h"

namespace cdt::test {

std::vector<OpCase> head_op_cases();

}  // namespace cdt::test

// Damaged copies of a file's bytes.
#pragma once

#include <string>

#include "engine/random.h"

namespace cdt::test {

/// `bytes` with one to four small injuries: bits and bytes changed, parts cut out, repeated or
/// moved, the end missing, numbers made huge or negative.
std::string mutated(std::string bytes, RandomStream* draws);

}  // namespace cdt::test

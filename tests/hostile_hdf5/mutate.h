// Damaged copies of a file's bytes.
#pragma once

#include <string>

#include "engine/random.h"

namespace cdt::test {

/// `bytes` with one to four small defects: bits and bytes changed, parts removed, repeated or
/// moved, a truncated end, numbers made huge or negative.
std::string mutated(std::string bytes, RandomStream* draws);

}  // namespace cdt::test

// Kernel tests on a real GPU: nothing is watched here; compute-sanitizer can do so from outside.
#include "engine/backend.h"
#include "tests/kernels/kernel_test.h"

namespace cdt::test {

void watch_kernels() {
  if (!cuda_available()) GTEST_SKIP() << cuda_problem();
}

std::string end_of_watch() { return ""; }

std::optional<std::uint64_t> launches() { return std::nullopt; }

}  // namespace cdt::test

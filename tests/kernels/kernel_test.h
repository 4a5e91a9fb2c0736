// The tests of single kernels run on whatever GPU the backend they are linked with has: the
// emulated one, which looks on (tests/emulation/kernel_watch.cc), or a real one
// (tests/gpu/kernel_watch.cc).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

namespace cdt::test {

/// Begins to watch kernels.
void watch_kernels();
/// What they did wrong since, "" if nothing was seen; ends the watch.
std::string end_of_watch();
/// Kernels launched so far, where they are counted.
std::optional<std::uint64_t> launches();

class KernelTest : public testing::Test {
 protected:
  void SetUp() override { watch_kernels(); }
  void TearDown() override { EXPECT_EQ(end_of_watch(), ""); }
};

}  // namespace cdt::test

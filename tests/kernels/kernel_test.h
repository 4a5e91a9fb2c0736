// Watches the tests of single kernels, which run on whatever GPU their backend has: the emulated
// one, which checks every access (tests/emulation/kernel_watch.cc), or a real one
// (tests/gpu/kernel_watch.cc).
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>

namespace cdt::test {

/// Starts to watch kernels.
void watch_kernels();
/// What they did wrong since then, "" if nothing was seen; stops watching.
std::string end_of_watch();
/// Kernels launched so far, if they are counted.
std::optional<std::uint64_t> launches();

class KernelTest : public testing::Test {
 protected:
  void SetUp() override { watch_kernels(); }
  void TearDown() override { EXPECT_EQ(end_of_watch(), ""); }
};

}  // namespace cdt::test

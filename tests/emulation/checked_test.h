// A test in checking mode that restores the emulation's state afterwards.
#pragma once

#include <gtest/gtest.h>

#include "tests/emulation/emulation.h"
#include "tests/emulation/memory.h"

namespace cdt::test {

class CheckedTest : public testing::Test {
 protected:
  void SetUp() override { emulation::set_checking(true); }
  void TearDown() override {
    EXPECT_EQ(emulation::take_finding(), "") << "a finding that the test did not expect";
    emulation::set_checking(false);
    emulation::set_lazy(false);
    emulation::set_placement(emulation::Placement::kEnd);
  }
  /// The finding so far; expects it to contain each of `parts`.
  static void expect_finding(std::initializer_list<const char*> parts) {
    const std::string finding = emulation::take_finding();
    for (const char* part : parts) {
      EXPECT_NE(finding.find(part), std::string::npos) << "no '" << part << "' in: " << finding;
    }
  }
};

}  // namespace cdt::test

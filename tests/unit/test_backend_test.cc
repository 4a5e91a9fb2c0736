// The environment variables of the backend under test are obeyed or refused, never ignored.
#include "tests/support/test_backend.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "tests/support/input_error.h"
#include "tests/support/precision.h"

namespace cdt {
namespace {

/// Sets an environment variable to another value in this scope.
class Setting {
 public:
  Setting(const char* name, const char* value) : name_(name) {
    const char* const before = std::getenv(name);
    if (before != nullptr) before_ = before;
    setenv(name, value, 1);
  }
  ~Setting() { before_ ? setenv(name_, before_->c_str(), 1) : unsetenv(name_); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

using test::expect_message;
using test::input_error;

constexpr const char* kDevice = "CDT_TEST_DEVICE";
constexpr const char* kPrecision = "CDT_TEST_PRECISION";

TEST(TestBackendTest, UnknownWordsAreRefused) {
  {
    const Setting precision(kPrecision, "half");
    expect_message(input_error([] { test::test_precision(); }), "environment", kPrecision,
                   "no such precision (expected fp32, fp32-fma, tf32 or bf16, got half)");
  }
  const Setting device(kDevice, "gpu");
  expect_message(input_error([] { test::make_test_backend(); }), "environment", kDevice,
                 "no such device (expected cpu, cuda or cuda:1, got gpu)");
}

TEST(TestBackendTest, TheCpuHasNoOtherPrecision) {
  const Setting device(kDevice, "cpu");
  const Setting precision(kPrecision, "bf16");
  expect_message(input_error([] { test::make_test_backend(); }), "environment", kPrecision,
                 "the CPU computes in fp32 only");
}

TEST(TestBackendTest, BoundsFollowFromThePrecision) {
  const std::pair<const char*, double> bounds[] = {
      {"fp32", 1e-5}, {"fp32-fma", 1e-5}, {"tf32", 0x1p-8}, {"bf16", 0x1p-6}};
  for (const auto& [name, bound] : bounds) {
    const Setting precision(kPrecision, name);
    EXPECT_EQ(test::tolerance(1e-5, 4.0), bound) << name;
  }
}

}  // namespace
}  // namespace cdt

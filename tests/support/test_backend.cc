#include "tests/support/test_backend.h"

#include <cstdlib>
#include <string>

#include "engine/error.h"

namespace cdt::test {
namespace {

constexpr const char* kDevice = "CDT_TEST_DEVICE";
constexpr const char* kPrecision = "CDT_TEST_PRECISION";

std::string setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

}  // namespace

std::unique_ptr<Backend> make_test_backend() {
  if (setting("CDT_TEST_DEVICE", "cpu") != "cuda") return make_cpu_backend(0);
  const bool tf32 = setting("CDT_TEST_PRECISION", "fp32") == "tf32";
  return make_cuda_backend({.precision = tf32 ? Precision::kTf32 : Precision::kFloat32});
}

}  // namespace cdt::test

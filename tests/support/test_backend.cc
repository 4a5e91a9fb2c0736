#include "tests/support/test_backend.h"

#include <cstdlib>
#include <string>

#include "engine/error.h"
#include "tests/support/precision.h"

namespace cdt::test {
namespace {

constexpr const char* kWhere = "environment";
constexpr const char* kVariable = "CDT_TEST_DEVICE";
constexpr int kCpu = -1;

/// kCpu, or the number of a GPU.
int test_device() {
  const char* const text = std::getenv(kVariable);
  const std::string name = text != nullptr ? text : "cpu";
  if (name == "cpu") return kCpu;
  if (name == "cuda" || name == "cuda:0") return 0;
  if (name == "cuda:1") return 1;
  throw InputError(kWhere, kVariable, expected_got("no such device", "cpu, cuda or cuda:1", name));
}

}  // namespace

std::unique_ptr<Backend> make_test_backend() {
  const int device = test_device();
  const Precision precision = test_precision();
  if (device != kCpu) return make_cuda_backend({.device = device, .precision = precision});
  if (!float32_accuracy()) {
    throw InputError(kWhere, "CDT_TEST_PRECISION", "the CPU computes in fp32 only");
  }
  return make_cpu_backend(0);
}

Tensor as_activation(Backend& backend, Arena& arena, const Tensor& t) {
  if (backend.activations() == t.dtype) return t;
  const Tensor rounded = arena.tensor(t.shape, backend.activations());
  backend.cast(rounded, t);
  return rounded;
}

}  // namespace cdt::test

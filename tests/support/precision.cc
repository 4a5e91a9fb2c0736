#include "tests/support/precision.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>

#include "apps/common/precision.h"
#include "engine/error.h"

namespace cdt::test {

Precision test_precision() {
  constexpr const char* kVariable = "CDT_TEST_PRECISION";
  const char* const text = std::getenv(kVariable);
  const std::string name = text != nullptr ? text : "fp32";
  const auto* const end = std::end(kPrecisionWords);
  if (std::find(std::begin(kPrecisionWords), end, name) != end) return precision_named(name);
  throw InputError("environment", kVariable,
                   expected_got("no such precision", "fp32, fp32-fma, tf32 or bf16", name));
}

bool float32_accuracy() {
  const Precision precision = test_precision();
  return precision == Precision::kFloat32 || precision == Precision::kBFloat16x3;
}

double unit_roundoff(Precision precision) {
  switch (precision) {
    case Precision::kBFloat16:
      return 0x1p-8;
    case Precision::kTf32:
      return 0x1p-10;
    default:
      return 0x1p-24;
  }
}

double tolerance(double float32, double roundoffs) {
  return float32_accuracy() ? float32 : roundoffs * unit_roundoff(test_precision());
}

}  // namespace cdt::test

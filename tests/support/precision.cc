#include "tests/support/precision.h"

#include <cstdlib>
#include <string>

#include "engine/error.h"

namespace cdt::test {

Precision test_precision() {
  constexpr const char* kVariable = "CDT_TEST_PRECISION";
  const char* const text = std::getenv(kVariable);
  const std::string name = text != nullptr ? text : "fp32";
  if (name == "fp32") return Precision::kFloat32;
  if (name == "tf32") return Precision::kTf32;
  if (name == "bf16") return Precision::kBFloat16;
  throw InputError("environment", kVariable,
                   expected_got("no such precision", "fp32, tf32 or bf16", name));
}

double unit_roundoff(Precision precision) {
  switch (precision) {
    case Precision::kBFloat16:
      return 0x1p-8;
    case Precision::kTf32:
      return 0x1p-11;
    default:
      return 0x1p-24;
  }
}

double tolerance(double float32, double roundoffs) {
  const Precision precision = test_precision();
  return precision == Precision::kFloat32 ? float32 : roundoffs * unit_roundoff(precision);
}

}  // namespace cdt::test

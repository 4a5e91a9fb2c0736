#include "apps/common/precision.h"

#include "engine/error.h"

namespace cdt {

Precision precision_named(const std::string& word) {
  if (word == "fp32") return Precision::kBFloat16x3;
  if (word == "fp32-fma") return Precision::kFloat32;
  if (word == "tf32") return Precision::kTf32;
  CDT_CHECK(word == "bf16", "no precision named " + word);
  return Precision::kBFloat16;
}

}  // namespace cdt

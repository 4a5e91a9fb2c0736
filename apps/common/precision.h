// The words of --precision; the CPU supports only the first.
#pragma once

#include <array>
#include <string>

#include "engine/backend.h"

namespace cdt {

/// fp32: accuracy of float32, products on tensor cores in three bfloat16 parts. fp32-fma: float32
/// multiply-adds.
inline constexpr std::array<const char*, 4> kPrecisionWords{"fp32", "fp32-fma", "tf32", "bf16"};

/// Meaning of a word on a GPU.
Precision precision_named(const std::string& word);

}  // namespace cdt

// Matrix products as the model requests them and in forms that libraries dislike, against the CPU
// backend.
#pragma once

#include "engine/backend.h"

namespace cdt::test {

/// Products with one or several of each operand, at odd sizes, at size 1, transposed, with odd
/// strides, with aligned and unaligned biases (16 bytes); in float32 and, from bfloat16, into
/// either type.
void expect_products_agree(const CudaOptions& options);

/// float32 products computed from three bfloat16 parts.
void expect_tiled_products_agree();

}  // namespace cdt::test

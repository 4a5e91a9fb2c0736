// Matrix products as the model asks for them and as no library likes them, against the CPU backend.
#pragma once

#include "engine/backend.h"

namespace cdt::test {

/// Products with one or several of each operand, at odd sizes, of size 1, transposed, with odd
/// strides, with a bias at 16 bytes and beside them; in float32 and, from bfloat16, into either
/// type.
void expect_products_agree(const CudaOptions& options);

/// float32 products as bf16x3 multiplies them.
void expect_tiled_products_agree();

}  // namespace cdt::test

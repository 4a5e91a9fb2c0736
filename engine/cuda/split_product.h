// Products of float32 matrices on tensor cores, to the accuracy of float32.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "engine/cuda/waves.h"
#include "engine/kernel_types.h"

namespace cdt {

/// Do rows of A and B, as they are stored, begin at multiples of 16 bytes?
bool can_split(const Gemm& g);

/// All operands are float32, A and B as can_split() wants them. slices: room for the sums of
/// cut.slices > 1 slices of every problem, of (m, n) floats each.
void split_product(cudaStream_t stream, const Gemm& g, const ProductCut& cut, float* slices);

}  // namespace cdt

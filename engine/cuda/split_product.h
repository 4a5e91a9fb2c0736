// Products of float32 matrices on tensor cores, to the accuracy of float32.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "engine/cuda/waves.h"
#include "engine/kernel_types.h"

namespace cdt {

/// True if the rows of A and B, as stored, are 16-byte aligned.
bool can_split(const Gemm& g);

/// Computes a product of float32 operands; A and B must satisfy can_split(). slices: memory for the
/// (m, n) sums of each of cut.slices > 1 slices of every problem.
void split_product(cudaStream_t stream, const Gemm& g, const ProductCut& cut, float* slices);

}  // namespace cdt

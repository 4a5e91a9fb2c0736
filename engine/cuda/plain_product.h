// Matrix products by a kernel of our own, of any shape, strides and types that Gemm allows.
#pragma once

#include <cuda_runtime.h>

#include "engine/backend.h"

namespace cdt {

void plain_product(cudaStream_t stream, const Gemm& g);

}  // namespace cdt

// The sum of what ranks sent, on the device.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

namespace cdt {

/// sums(n) = the sums of parts(ranks, n) over the ranks: in float64, in their order, then rounded,
/// as on the CPU. n > 0.
void add_ranks(cudaStream_t stream, const float* parts, int ranks, std::int64_t n, float* sums);

}  // namespace cdt

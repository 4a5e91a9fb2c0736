// Launches of the kernels in planted_kernels.cu.
#pragma once

#include "tests/emulation/include/cuda_runtime.h"

namespace cdt::test {

/// out(rows) = row sums of in(rows, n); wrong without its barrier.
cudaError_t launch_row_sum(const float* in, float* out, int rows, int n, bool barrier = true,
                           cudaStream_t stream = nullptr);
/// out(n, n) = in(n, n)^T; wrong without its barrier.
cudaError_t launch_transpose(const float* in, float* out, unsigned n, bool barrier);
/// out(64) = 3; wrong without its second barrier.
cudaError_t launch_two_rounds(float* out, bool barrier);
/// out[i] = in[i + shift], i < n
cudaError_t launch_copy(const float* in, float* out, int n, int shift,
                        cudaStream_t stream = nullptr);
/// out[4 i] = sum of the float4 at in + 4 i + shift, i < 4
cudaError_t launch_copy4(const float* in, float* out, int shift);

/// out(64) = element 1 of 16 four-element pieces of in(64), each for four threads; wrong without
/// its wait.
cudaError_t launch_copied_later(const float* in, float* out, bool wait);
/// out(16, 8), out[r][c] = sum over k < 16 of (r + k) (c - k), on tensor cores.
cudaError_t launch_matrix_product(float* out, bool aligned);

enum class Planted {
  kRace,
  kEarlyExit,
  kTwoBarriers,
  kMissingLane,
  kOutsideOwnMask,
  kUninitialisedShared,
  kSharedIndex,  // argument: added to indices 0..63 of 64 values
  kDynamicSum,   // argument: how many of the 64 values of dynamic shared memory are used
  kProductOf31,  // a matrix product with one lane missing: out(32)
  kExchanges,    // correct: out(8, 32)
};
cudaError_t launch_planted(Planted kernel, float* out, int argument = 0);

cudaError_t launch_shaped(dim3 grid, dim3 block, std::size_t shared, float* out);

}  // namespace cdt::test

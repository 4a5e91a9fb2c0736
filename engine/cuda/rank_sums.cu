#include "engine/cuda/launch.h"
#include "engine/cuda/rank_sums.h"

namespace cdt {
namespace {

constexpr int kThreads = 256;

/// One thread per element.
__global__ void add_ranks_kernel(const float* parts, int ranks, std::int64_t n, float* sums) {
  const std::int64_t i = std::int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (i >= n) return;
  double sum = 0.0;
  for (int r = 0; r < ranks; ++r) sum += parts[r * n + i];
  sums[i] = static_cast<float>(sum);
}

}  // namespace

void add_ranks(cudaStream_t stream, const float* parts, int ranks, std::int64_t n, float* sums) {
  launch(stream, add_ranks_kernel, blocks_for(n, kThreads), kThreads, parts, ranks, n, sums);
}

}  // namespace cdt

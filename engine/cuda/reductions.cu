// Sums over rows: each fixed chunk first, then the chunks in a fixed order.
#include "engine/cuda/column_sums.cuh"
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"
#include "engine/cuda/rows.cuh"

namespace cdt {
namespace {

constexpr int kTurns = 8;  // fewest rows per thread, if that gives enough blocks

template <class T, bool kWhole>
__global__ void column_sum_kernel(const T* x, float* partial, Walk walk) {
  Unit sum{};
  walk_rows(walk, [&](int row, int unit) {
    const Unit more = load_unit<kWhole>(x + std::int64_t{row} * walk.cols, unit, walk.cols);
    for_unit([&](int j, int i) { sum.at[j][i] += more.at[j][i]; });
  });
  store_partials(walk, sum, partial);
}

constexpr int kAddWarps = 16;

/// A CudaBackend::PartialSum of `n` columns, as the kernel takes it.
struct AddedChunks {
  const float* partial;
  float* out;
  std::int64_t stride;
  int chunks, n, batch;
  bool accumulate;
};
struct AllAddedChunks {
  AddedChunks of[3];
};

/// One block per 32 columns (x), sum (y) and sample (z); its warps share the chunks.
__global__ void add_partials_kernel(AllAddedChunks sums) {
  __shared__ float of_warp[kAddWarps][32];
  AddedChunks s = sums.of[0];
  if (blockIdx.y == 1) s = sums.of[1];
  if (blockIdx.y == 2) s = sums.of[2];
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int c = static_cast<int>(blockIdx.x) * 32 + lane;
  const int sample = static_cast<int>(blockIdx.z);
  const bool wanted = c < s.n && sample < s.batch;
  const float* from = s.partial + std::int64_t{sample} * s.chunks * s.stride + c;
  float sum = 0.0F;
  if (wanted) {
#pragma unroll 8
    for (int k = warp; k < s.chunks; k += kAddWarps) sum += from[k * s.stride];
  }
  of_warp[warp][lane] = sum;
  __syncthreads();
  if (warp > 0 || !wanted) return;
  for (int w = 1; w < kAddWarps; ++w) sum += of_warp[w][lane];
  float* out = s.out + std::int64_t{sample} * s.n + c;
  *out = s.accumulate ? *out + sum : sum;
}

__global__ void row_dot_sqrt_kernel(const float* a, const float* b, float* out, int cols) {
  const std::int64_t at = std::int64_t{blockIdx.x} * cols;
  double dot = 0.0;
  for_columns(
      cols, [&](int c) { dot += static_cast<double>(a[at + c]) * static_cast<double>(b[at + c]); });
  dot = sum_over_block(dot);
  if (threadIdx.x == 0) out[blockIdx.x] = static_cast<float>(sqrt(dot > 0.0 ? dot : 0.0));
}

}  // namespace

void CudaBackend::add_partials(std::initializer_list<PartialSum> sums) {
  AllAddedChunks all{};
  unsigned count = 0;
  unsigned columns = 1;
  unsigned samples = 1;
  for (const PartialSum& s : sums) {
    if (s.out.empty()) continue;
    const std::int64_t n = s.out.count() / s.batch;
    all.of[count++] = {s.partial,
                       s.out.data,
                       s.stride,
                       static_cast<int>(s.chunks),
                       static_cast<int>(n),
                       static_cast<int>(s.batch),
                       s.accumulate};
    columns = std::max(columns, blocks_for(n, 32));
    samples = std::max(samples, static_cast<unsigned>(s.batch));
  }
  launch(stream_, add_partials_kernel, dim3(columns, count, samples), 32 * kAddWarps, all);
}

void CudaBackend::column_sum(const Tensor& x, const Tensor& out, bool accumulate) {
  const Walk walk(x.rows(), x.cols());
  const dim3 grid = walk.grid(kTurns, kMostSums);
  float* partial = partials(std::int64_t{grid.y} * walk.cols);
  with_pieces(walk.cols, {x}, [&](auto t, auto whole) {
    using T = decltype(t);
    launch(stream_, column_sum_kernel<T, whole()>, grid, kWalkThreads, elements<T>(x), partial,
           walk);
  });
  add_partials({{partial, grid.y, walk.cols, out, accumulate}});
}

void CudaBackend::row_dot_sqrt(const Tensor& a, const Tensor& b, const Tensor& out) {
  launch(stream_, row_dot_sqrt_kernel, grid_of_rows(a), row_threads(a.cols()), a.data, b.data,
         out.data, a.cols());
}

}  // namespace cdt

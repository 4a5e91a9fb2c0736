#include "engine/cuda/attention_rows.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

/// Where the row of scores of this block begins.
__device__ __forceinline__ std::int64_t start_of_row(const ScoreRows& r) {
  return std::int64_t{blockIdx.x} * r.ld;
}

/// Number of the row of this block among the rows (B, H, Nq), for a sample.
__device__ __forceinline__ std::int64_t row_number(const ScoreRows& r, std::int64_t sample) {
  const std::int64_t h = blockIdx.x / r.rows;
  const std::int64_t i = blockIdx.x % r.rows;
  return (sample * r.heads + h) * r.queries + r.first + i;
}

__global__ void softmax_rows_kernel(ScoreRows r, float* scores, float* log_sum_exp) {
  float* row = scores + start_of_row(r);
  const int keys = static_cast<int>(r.keys);
  const SoftmaxRow s = softmax_row(row, keys);
  const float share = 1.0F / s.sum;
  for_columns(keys, [&](int c) { row[c] = expf(row[c] - s.max) * share; });
  if (threadIdx.x == 0) log_sum_exp[row_number(r, r.sums_sample)] = s.max + logf(s.sum);
}

template <class T>
__global__ void mask_rows_kernel(ScoreRows r, const float* p, Mask mask, T* masked,
                                 float* probabilities) {
  const std::int64_t at = start_of_row(r);
  const std::int64_t row = row_number(r, r.sample);
  const int keys = static_cast<int>(r.keys);
  for_masked_columns(mask, static_cast<std::uint32_t>(row), keys, [&](int c, float factor) {
    const float share = p[at + c];
    if (probabilities != nullptr) probabilities[row * keys + c] = share;
    store(masked, at + c, share * factor);
  });
}

__global__ void probability_rows_kernel(ScoreRows r, float* scores) {
  float* row = scores + start_of_row(r);
  const float shift = r.log_sum_exp[row_number(r, r.sums_sample)];
  for_columns(static_cast<int>(r.keys), [&](int c) { row[c] = expf(row[c] - shift); });
}

template <class T, class Ds>
__global__ void score_gradient_kernel(ScoreRows r, const float* p, const float* dp,
                                      const float* dots, Mask mask, T* masked, Ds* ds,
                                      bool accumulate) {
  const std::int64_t at = start_of_row(r);
  const std::int64_t row = row_number(r, r.sample);
  const float dot = dots[row];
  for_masked_columns(mask, static_cast<std::uint32_t>(row), static_cast<int>(r.keys),
                     [&](int c, float factor) {
                       const float share = p[at + c];
                       const float gradient = share * (dp[at + c] * factor - dot);
                       store(masked, at + c, share * factor);
                       store(ds, at + c, accumulate ? load(ds, at + c) + gradient : gradient);
                     });
}

/// A block is one token (b, i); a warp is a head.
template <class T>
__global__ void output_dots_kernel(const T* dout, const T* out, float* dots, int out_batch,
                                   int queries, int heads, int head_dim) {
  const int lane = static_cast<int>(threadIdx.x % 32);
  const std::int64_t b = blockIdx.x / queries;
  const std::int64_t i = blockIdx.x % queries;
  for (int h = static_cast<int>(threadIdx.x / 32); h < heads;
       h += static_cast<int>(blockDim.x / 32)) {
    const std::int64_t at = (std::int64_t{blockIdx.x} * heads + h) * head_dim;
    const std::int64_t of_out = ((b % out_batch * queries + i) * heads + h) * head_dim;
    float sum = 0.0F;
    for (int k = lane; k < head_dim; k += 32) sum += load(dout, at + k) * load(out, of_out + k);
    for (int lanes = 16; lanes > 0; lanes /= 2) sum += __shfl_xor_sync(0xFFFFFFFFU, sum, lanes);
    if (lane == 0) dots[(b * heads + h) * queries + i] = sum;
  }
}

template <class T>
__global__ void cast_rows_kernel(const float* x, T* y, int cols, std::int64_t stride) {
  const auto row = std::int64_t{blockIdx.x};
  for_columns(cols, [&](int c) { store(y, row * stride + c, x[row * cols + c]); });
}

dim3 blocks_of(const ScoreRows& r) { return {static_cast<unsigned>(r.heads * r.rows)}; }

}  // namespace

void softmax_rows(cudaStream_t stream, const ScoreRows& r, float* scores, float* log_sum_exp) {
  launch(stream, softmax_rows_kernel, blocks_of(r), row_threads(r.keys), r, scores, log_sum_exp);
}

template <class T>
void mask_rows(cudaStream_t stream, const ScoreRows& r, const float* p, const Mask& mask, T* masked,
               float* probabilities) {
  launch(stream, mask_rows_kernel<T>, blocks_of(r), row_threads(r.keys), r, p, mask, masked,
         probabilities);
}

void probability_rows(cudaStream_t stream, const ScoreRows& r, float* scores) {
  launch(stream, probability_rows_kernel, blocks_of(r), row_threads(r.keys), r, scores);
}

template <class T, class Ds>
void score_gradient_rows(cudaStream_t stream, const ScoreRows& r, const float* p, const float* dp,
                         const float* dots, const Mask& mask, T* masked, Ds* ds, bool accumulate) {
  launch(stream, score_gradient_kernel<T, Ds>, blocks_of(r), row_threads(r.keys), r, p, dp, dots,
         mask, masked, ds, accumulate);
}

template <class T>
void output_dots(cudaStream_t stream, const T* dout, const T* out, float* dots, std::int64_t batch,
                 std::int64_t out_batch, std::int64_t queries, std::int64_t heads,
                 std::int64_t head_dim) {
  const int threads = static_cast<int>(std::min<std::int64_t>(8, heads)) * 32;
  launch(stream, output_dots_kernel<T>, static_cast<unsigned>(batch * queries), threads, dout, out,
         dots, out_batch, queries, heads, head_dim);
}

template <class T>
void cast_rows(cudaStream_t stream, const float* x, T* y, std::int64_t rows, std::int64_t cols,
               std::int64_t stride) {
  launch(stream, cast_rows_kernel<T>, static_cast<unsigned>(rows), row_threads(cols), x, y, cols,
         stride);
}

template void mask_rows(cudaStream_t, const ScoreRows&, const float*, const Mask&, float*, float*);
template void mask_rows(cudaStream_t, const ScoreRows&, const float*, const Mask&, BFloat16*,
                        float*);
template void score_gradient_rows(cudaStream_t, const ScoreRows&, const float*, const float*,
                                  const float*, const Mask&, float*, float*, bool);
template void score_gradient_rows(cudaStream_t, const ScoreRows&, const float*, const float*,
                                  const float*, const Mask&, BFloat16*, float*, bool);
template void score_gradient_rows(cudaStream_t, const ScoreRows&, const float*, const float*,
                                  const float*, const Mask&, BFloat16*, BFloat16*, bool);
template void output_dots(cudaStream_t, const float*, const float*, float*, std::int64_t,
                          std::int64_t, std::int64_t, std::int64_t, std::int64_t);
template void output_dots(cudaStream_t, const BFloat16*, const BFloat16*, float*, std::int64_t,
                          std::int64_t, std::int64_t, std::int64_t, std::int64_t);
template void cast_rows(cudaStream_t, const float*, float*, std::int64_t, std::int64_t,
                        std::int64_t);
template void cast_rows(cudaStream_t, const float*, BFloat16*, std::int64_t, std::int64_t,
                        std::int64_t);

}  // namespace cdt

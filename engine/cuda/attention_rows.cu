#include "engine/cuda/attention_rows.h"
#include "engine/cuda/kernel.cuh"
#include "engine/cuda/launch.h"

namespace cdt {
namespace {

/// Offset of this block's row of scores.
__device__ __forceinline__ std::int64_t start_of_row(const ScoreRows& r) {
  return std::int64_t{blockIdx.x} * r.ld;
}

/// Index of this block's row among the rows (B, H, Nq), taken from sample `sample`.
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

__global__ void mask_rows_kernel(ScoreRows r, const float* p, Mask mask, float* masked,
                                 float* probabilities) {
  const std::int64_t at = start_of_row(r);
  const std::int64_t row = row_number(r, r.sample);
  const int keys = static_cast<int>(r.keys);
  for_masked_columns(mask, static_cast<std::uint32_t>(row), keys, [&](int c, float factor) {
    const float share = p[at + c];
    if (probabilities != nullptr) probabilities[row * keys + c] = share;
    masked[at + c] = share * factor;
  });
}

__global__ void probability_rows_kernel(ScoreRows r, float* scores) {
  float* row = scores + start_of_row(r);
  const float shift = r.log_sum_exp[row_number(r, r.sums_sample)];
  for_columns(static_cast<int>(r.keys), [&](int c) { row[c] = expf(row[c] - shift); });
}

__global__ void score_gradient_kernel(ScoreRows r, const float* p, const float* dp,
                                      const float* dots, Mask mask, float* masked, float* ds,
                                      bool accumulate) {
  const std::int64_t at = start_of_row(r);
  const std::int64_t row = row_number(r, r.sample);
  const float dot = dots[row];
  for_masked_columns(mask, static_cast<std::uint32_t>(row), static_cast<int>(r.keys),
                     [&](int c, float factor) {
                       const float share = p[at + c];
                       const float gradient = share * (dp[at + c] * factor - dot);
                       masked[at + c] = share * factor;
                       ds[at + c] = accumulate ? ds[at + c] + gradient : gradient;
                     });
}

/// One block per token (b, i), one warp per head.
__global__ void output_dots_kernel(const float* dout, const float* out, float* dots, int out_batch,
                                   int queries, int heads, int head_dim) {
  const std::int64_t b = blockIdx.x / queries;
  const std::int64_t i = blockIdx.x % queries;
  const std::int64_t width = std::int64_t{heads} * head_dim;
  for_head_dots(dout + blockIdx.x * width, out + (b % out_batch * queries + i) * width, heads,
                head_dim, [&](int h, float sum) { dots[(b * heads + h) * queries + i] = sum; });
}

/// Block (x, y) copies row x of sample y.
template <class To, class From>
__global__ void copy_rows_kernel(Rows<To> to, Rows<From> from, int cols) {
  To* const y = to.data + blockIdx.y * to.batch_stride + blockIdx.x * to.row_stride;
  const From* const x = from.data + blockIdx.y * from.batch_stride + blockIdx.x * from.row_stride;
  for_columns(cols, [&](int c) { store(y, c, load(x, c)); });
}

dim3 blocks_of(const ScoreRows& r) { return {static_cast<unsigned>(r.heads * r.rows)}; }

}  // namespace

void softmax_rows(cudaStream_t stream, const ScoreRows& r, float* scores, float* log_sum_exp) {
  launch(stream, softmax_rows_kernel, blocks_of(r), row_threads(r.keys), r, scores, log_sum_exp);
}

void mask_rows(cudaStream_t stream, const ScoreRows& r, const float* p, const Mask& mask,
               float* masked, float* probabilities) {
  launch(stream, mask_rows_kernel, blocks_of(r), row_threads(r.keys), r, p, mask, masked,
         probabilities);
}

void probability_rows(cudaStream_t stream, const ScoreRows& r, float* scores) {
  launch(stream, probability_rows_kernel, blocks_of(r), row_threads(r.keys), r, scores);
}

void score_gradient_rows(cudaStream_t stream, const ScoreRows& r, const float* p, const float* dp,
                         const float* dots, const Mask& mask, float* masked, float* ds,
                         bool accumulate) {
  launch(stream, score_gradient_kernel, blocks_of(r), row_threads(r.keys), r, p, dp, dots, mask,
         masked, ds, accumulate);
}

void output_dots(cudaStream_t stream, const float* dout, const float* out, float* dots,
                 std::int64_t batch, std::int64_t out_batch, std::int64_t queries,
                 std::int64_t heads, std::int64_t head_dim) {
  const int threads = static_cast<int>(std::min<std::int64_t>(8, heads)) * 32;
  launch(stream, output_dots_kernel, static_cast<unsigned>(batch * queries), threads, dout, out,
         dots, out_batch, queries, heads, head_dim);
}

template <class To, class From>
void copy_rows(cudaStream_t stream, const Rows<To>& to, const Rows<From>& from, std::int64_t batch,
               std::int64_t rows, std::int64_t cols) {
  launch(stream, copy_rows_kernel<To, From>,
         dim3(static_cast<unsigned>(rows), static_cast<unsigned>(batch)), row_threads(cols), to,
         from, cols);
}

template void copy_rows(cudaStream_t, const Rows<float>&, const Rows<BFloat16>&, std::int64_t,
                        std::int64_t, std::int64_t);
template void copy_rows(cudaStream_t, const Rows<BFloat16>&, const Rows<float>&, std::int64_t,
                        std::int64_t, std::int64_t);

}  // namespace cdt

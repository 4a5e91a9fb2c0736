// The element-wise part of attention between its matrix products. It works on the scores of some
// queries of all heads of one sample: (H, rows, keys), float32, with row stride `ld`.
#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "engine/cuda/launch.h"

namespace cdt {

struct ScoreRows {
  std::int64_t heads = 0, queries = 0, keys = 0;  // H, Nq, Nk
  std::int64_t first = 0, rows = 0;               // queries [first, first + rows)
  std::int64_t ld = 0;                 // row stride: keys rounded up for the products' alignment
  std::int64_t sample = 0;             // selects rows of masks, outputs and sums
  std::int64_t sums_sample = 0;        // the sample whose log_sum_exp is used
  const float* log_sum_exp = nullptr;  // (Bs, H, Nq)
};

/// scores = softmax of every row, in-place; writes log_sum_exp.
void softmax_rows(cudaStream_t stream, const ScoreRows& r, float* scores, float* log_sum_exp);
/// masked = mask * p, and probabilities(B, H, Nq, Nk) = p unless null. masked may be p.
void mask_rows(cudaStream_t stream, const ScoreRows& r, const float* p, const Mask& mask,
               float* masked, float* probabilities);
/// scores = e^(scores - log_sum_exp), in-place.
void probability_rows(cudaStream_t stream, const ScoreRows& r, float* scores);
/// masked = m p and ds (+)= p (m dp - dots), dots(B, H, Nq). masked may be p, ds may be dp.
void score_gradient_rows(cudaStream_t stream, const ScoreRows& r, const float* p, const float* dp,
                         const float* dots, const Mask& mask, float* masked, float* ds,
                         bool accumulate);

/// dots(B, H, Nq) = sum over K of dout(B, Nq, H*K) * out(B | 1, Nq, H*K); out_batch: B or 1.
void output_dots(cudaStream_t stream, const float* dout, const float* out, float* dots,
                 std::int64_t batch, std::int64_t out_batch, std::int64_t queries,
                 std::int64_t heads, std::int64_t head_dim);

/// Strided rows: row (b, i) begins at data + b * batch_stride + i * row_stride.
template <class T>
struct Rows {
  T* data;
  std::int64_t row_stride, batch_stride;
};
/// to(B, N, C) = from(B, N, C), rounded to To.
template <class To, class From>
void copy_rows(cudaStream_t stream, const Rows<To>& to, const Rows<From>& from, std::int64_t batch,
               std::int64_t rows, std::int64_t cols);

}  // namespace cdt

// What attention by way of score matrices needs forward and backward: blocks of queries and their
// products through cuBLASLt.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/attention_view.h"
#include "engine/cuda/attention_rows.h"
#include "engine/cuda/cuda_backend.h"

namespace cdt {

constexpr std::int64_t kBlockScores = std::int64_t{6} << 20U;  // float32: half of an H100's cache
constexpr std::int64_t kAlign = 8;                             // bfloat16 elements in 16 bytes

/// Row `row` of head 0 of sample b, as an operand.
inline Operand head_operand(const HeadsView& view, std::int64_t b, std::int64_t row) {
  const Tensor origin{view.data, {1}, view.dtype};
  return Tensor{origin.at(b * view.batch_stride + row * view.row_stride), {1}, view.dtype};
}

/// Queries cut into blocks whose scores fit kBlockScores.
struct Blocks {
  std::int64_t ld, rows;
  explicit Blocks(const Attention& a) : ld(ceil_div(a.keys, kAlign) * kAlign) {
    rows = std::clamp<std::int64_t>(kBlockScores / (a.heads * ld), 1, a.queries);
    if (rows < a.queries && rows > 64) rows = rows / 64 * 64;
  }
  std::int64_t scores(const Attention& a) const { return a.heads * rows * ld; }
};

inline ScoreRows rows_of(const Attention& a, const Blocks& blocks, std::int64_t first) {
  return {.heads = a.heads,
          .queries = a.queries,
          .keys = a.keys,
          .first = first,
          .rows = std::min(blocks.rows, a.queries - first),
          .ld = blocks.ld,
          .sample = 0,
          .sums_sample = 0,
          .log_sum_exp = a.log_sum_exp.data};
}

/// The products of one block. Per head: rows are queries, `other` of K columns stands for k or v,
/// scores are (rows, keys).
struct Products {
  CudaBackend& backend;
  const Attention& a;
  const ScoreRows& r;

  /// scores = scale * x y^T, x queries of sample b, y keys of sample b
  void scores(const HeadsView& x, const HeadsView& y, std::int64_t b, float scale,
              float* to) const {
    backend.gemm({.trans_b = true,
                  .m = r.rows,
                  .n = r.keys,
                  .k = a.head_dim,
                  .alpha = scale,
                  .a = head_operand(x, b, r.first),
                  .lda = x.row_stride,
                  .b = head_operand(y, b, 0),
                  .ldb = y.row_stride,
                  .c = to,
                  .ldc = r.ld,
                  .batch = a.heads,
                  .stride_a = a.head_dim,
                  .stride_b = a.head_dim,
                  .stride_c = r.rows * r.ld});
  }
  /// to (+)= scale * s y: one row per query
  void per_query(const Operand& s, const HeadsView& y, std::int64_t b, float scale,
                 const HeadsView& to, std::int64_t to_b, bool add) const {
    backend.gemm({.m = r.rows,
                  .n = a.head_dim,
                  .k = r.keys,
                  .alpha = scale,
                  .a = s,
                  .lda = r.ld,
                  .b = head_operand(y, b, 0),
                  .ldb = y.row_stride,
                  .beta = add ? 1.0F : 0.0F,
                  .c = head_operand(to, to_b, r.first),
                  .ldc = to.row_stride,
                  .batch = a.heads,
                  .stride_a = r.rows * r.ld,
                  .stride_b = a.head_dim,
                  .stride_c = a.head_dim});
  }
  /// to (+)= scale * s^T x: one row per key, x of the block's queries
  void per_key(const Operand& s, const HeadsView& x, std::int64_t b, float scale,
               const HeadsView& to, std::int64_t to_b, bool add) const {
    backend.gemm({.trans_a = true,
                  .m = r.keys,
                  .n = a.head_dim,
                  .k = r.rows,
                  .alpha = scale,
                  .a = s,
                  .lda = r.ld,
                  .b = head_operand(x, b, r.first),
                  .ldb = x.row_stride,
                  .beta = add ? 1.0F : 0.0F,
                  .c = head_operand(to, to_b, 0),
                  .ldc = to.row_stride,
                  .batch = a.heads,
                  .stride_a = r.rows * r.ld,
                  .stride_b = a.head_dim,
                  .stride_c = a.head_dim});
  }
};

}  // namespace cdt

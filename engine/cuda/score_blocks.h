// Shared by the forward and backward pass of attention through score matrices: blocks of queries
// and their matrix products.
#pragma once

#include <algorithm>
#include <cstdint>

#include "engine/cuda/attention_rows.h"
#include "engine/cuda/cuda_backend.h"
#include "engine/product.h"

namespace cdt {

constexpr std::int64_t kBlockScores = std::int64_t{6} << 20U;  // float32: half an H100's L2 cache
constexpr std::int64_t kAlign = 8;                             // bfloat16 elements in 16 bytes

/// Views rows [first, first + rows) of every head of sample b as H matrices (rows, K).
inline Matrix head_rows(const Attention& a, const HeadsView& view, std::int64_t b,
                        std::int64_t first, std::int64_t rows) {
  const Tensor origin{view.data, {1}, view.dtype};
  const Tensor at{origin.at(b * view.batch_stride + first * view.row_stride), {1}, view.dtype};
  return {at, rows, a.head_dim, view.row_stride, a.heads, a.head_dim};
}

/// Splits queries into blocks whose scores fit into kBlockScores.
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

/// The products of one block, per head: x has a row per query of the block, y a row per key.
struct Products {
  CudaBackend& backend;
  const Attention& a;
  const ScoreRows& r;

  Matrix scores_at(const Operand& s) const {
    return {s, r.rows, r.keys, r.ld, a.heads, r.rows * r.ld};
  }
  Matrix queries(const HeadsView& x, std::int64_t b) const {
    return head_rows(a, x, b, r.first, r.rows);
  }
  Matrix keys(const HeadsView& y, std::int64_t b) const { return head_rows(a, y, b, 0, r.keys); }

  /// to = scale * x y^T, both of sample b
  void scores(const HeadsView& x, const HeadsView& y, std::int64_t b, float scale,
              float* to) const {
    multiply(backend, queries(x, b), transposed(keys(y, b)), scores_at(to), {.alpha = scale});
  }
  /// to (+)= scale * s y: one row per query
  void per_query(const Operand& s, const HeadsView& y, std::int64_t b, float scale,
                 const HeadsView& to, std::int64_t to_b, bool add) const {
    multiply(backend, scores_at(s), keys(y, b), queries(to, to_b),
             {.alpha = scale, .beta = add ? 1.0F : 0.0F});
  }
  /// to (+)= scale * s^T x: one row per key
  void per_key(const Operand& s, const HeadsView& x, std::int64_t b, float scale,
               const HeadsView& to, std::int64_t to_b, bool add) const {
    multiply(backend, transposed(scores_at(s)), queries(x, b), keys(to, to_b),
             {.alpha = scale, .beta = add ? 1.0F : 0.0F});
  }
};

}  // namespace cdt

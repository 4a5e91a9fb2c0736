// What attention's forward and backward share: which operands the batch shares, and where the tiles
// of one head stand.
#pragma once

#include <cmath>

#include "engine/backend.h"

namespace cdt {

/// Does the batch share this operand?
inline bool is_shared(const HeadsView& view, std::int64_t batch) {
  return batch == 1 || view.batch_stride == 0;
}

/// Are the scores the same for every sample? Then they are computed once.
inline bool scores_shared(const Attention& a) {
  return is_shared(a.q, a.batch) && is_shared(a.k, a.batch);
}

/// The forward pass as a backward pass sees it: several cotangents are a batch that shares the
/// operands of its one sample.
inline Attention forward_of(const AttentionBackward& a) {
  Attention f = a.forward;
  if (a.cotangents == 1) return f;
  f.batch = a.cotangents;
  f.q.batch_stride = f.k.batch_stride = f.v.batch_stride = 0;
  return f;
}

/// Row `row` of head h of sample b.
inline float* head_row(const HeadsView& view, const Attention& a, std::int64_t b, std::int64_t h,
                       std::int64_t row) {
  return view.data + b * view.batch_stride + row * view.row_stride + h * a.head_dim;
}

/// A tensor (B, Nq, H*K) as a view.
inline HeadsView dense_view(const Attention& a, const Tensor& t) {
  const std::int64_t row = a.heads * a.head_dim;
  return {t.data, row, a.queries * row, t.dtype};
}

/// Multiply-adds of all scores.
inline std::int64_t score_products(const Attention& a) {
  return a.batch * a.heads * a.queries * a.keys * a.head_dim;
}

inline float score_scale(const Attention& a) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(a.head_dim)));
}

/// The dropout mask row of query i of head h of sample b.
inline std::uint32_t mask_row(const Attention& a, std::int64_t b, std::int64_t h, std::int64_t i) {
  return static_cast<std::uint32_t>((b * a.heads + h) * a.queries + i);
}

}  // namespace cdt

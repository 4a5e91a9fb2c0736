// Attention by way of score matrices: products through cuBLASLt, and between them one fused kernel
// for the exponentials and the exact dropout mask. Scores exist for some queries of all heads of
// one sample at a time, a block that stays in the second-level cache; where the batch shares
// queries and keys, for all its samples. The backward pass computes scores again from log_sum_exp.
//
// With m the mask over 1 - p, P the probabilities and D_i = dout_i . out_i:
//   dv = (P m)^T dout           dS = P (m (dout v^T) - D)
//   dq = dS k / sqrt(K)         dk = dS^T q / sqrt(K)
#include <algorithm>
#include <optional>

#include "engine/attention_view.h"
#include "engine/bfloat16.h"
#include "engine/cuda/attention_rows.h"
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/dispatch.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr std::int64_t kBlockScores = std::int64_t{6} << 20U;  // float32: half of an H100's cache
constexpr std::int64_t kAlign = 8;                             // bfloat16 elements in 16 bytes

/// Row `row` of head 0 of sample b, as an operand.
Operand head_operand(const HeadsView& view, std::int64_t b, std::int64_t row) {
  const Tensor origin{view.data, {1}, view.dtype};
  return Tensor{origin.at(b * view.batch_stride + row * view.row_stride), {1}, view.dtype};
}

/// Queries cut into blocks whose scores fit kBlockScores.
struct Blocks {
  std::int64_t ld, rows;
  explicit Blocks(const Attention& a) : ld((a.keys + kAlign - 1) / kAlign * kAlign) {
    rows = std::clamp<std::int64_t>(kBlockScores / (a.heads * ld), 1, a.queries);
    if (rows < a.queries && rows > 64) rows = rows / 64 * 64;
  }
  std::int64_t scores(const Attention& a) const { return a.heads * rows * ld; }
};

ScoreRows rows_of(const Attention& a, const Blocks& blocks, std::int64_t first) {
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

/// A gradient that several products add up: itself where it is float32, else float32 memory of
/// all its rows that finish() rounds.
class Target {
 public:
  Target(const Attention& f, const HeadsView& gradient, std::int64_t rows, Arena& scratch)
      : gradient_(gradient), view_(gradient), rows_(rows), width_(f.heads * f.head_dim) {
    samples_ = gradient.batch_stride == 0 ? 1 : f.batch;
    if (gradient.data == nullptr || gradient.dtype == Dtype::kFloat32) return;
    sums_.emplace(scratch, Shape{samples_, rows, width_});
    view_ = {sums_->data(), width_, samples_ == 1 ? 0 : rows * width_};
  }
  bool wanted() const { return gradient_.data != nullptr; }
  const HeadsView& view() const { return view_; }
  void finish(cudaStream_t stream) const {
    for (std::int64_t b = 0; sums_ && b < samples_; ++b) {
      const Tensor to{gradient_.data, {1}, gradient_.dtype};
      cast_rows(stream, sums_->data() + b * rows_ * width_,
                reinterpret_cast<BFloat16*>(to.at(b * gradient_.batch_stride)), rows_, width_,
                gradient_.row_stride);
    }
  }

 private:
  HeadsView gradient_, view_;
  std::int64_t rows_, width_, samples_ = 1;
  std::optional<Scratch> sums_;
};

/// Memory of a backward block. In float32 `masked` and `ds` are p and dp themselves, unless the
/// samples share p.
struct Work {
  float *p, *dp;
  Tensor masked, ds, ds_sum;  // ds_sum: float32, over the samples that share p; or empty
};

}  // namespace

void CudaBackend::attention(const Attention& a, Arena& scratch) {
  const Blocks blocks(a);
  const std::int64_t sharing = scores_shared(a) ? a.batch : 1;
  const Mask drop = mask(a.dropout);
  const Dtype dtype = a.q.dtype;
  const Scratch scores(scratch, {blocks.scores(a)});
  std::optional<Scratch> apart;  // masked probabilities, where scores cannot hold them
  if (dtype != Dtype::kFloat32 || sharing > 1) {
    apart.emplace(scratch, Shape{blocks.scores(a)}, dtype);
  }
  const Tensor masked = apart ? **apart : *scores;
  const HeadsView out{a.out.data, a.heads * a.head_dim, a.queries * a.heads * a.head_dim, dtype};
  for (std::int64_t begin = 0; begin < a.batch; begin += sharing) {
    for (std::int64_t first = 0; first < a.queries; first += blocks.rows) {
      ScoreRows r = rows_of(a, blocks, first);
      const Products products{*this, a, r};
      r.sums_sample = begin;
      products.scores(a.q, a.k, begin, score_scale(a), scores.data());
      softmax_rows(stream_, r, scores.data(), a.log_sum_exp.data);
      for (std::int64_t b = begin; b < begin + sharing; ++b) {
        r.sample = b;
        with_type(dtype, [&](auto t) {
          mask_rows(stream_, r, scores.data(), drop, elements<decltype(t)>(masked),
                    a.probabilities.data);
        });
        products.per_query(masked, a.v, b, 1.0F, out, b, false);
      }
    }
  }
}

void CudaBackend::attention_backward(const AttentionBackward& a, Arena& scratch) {
  const Attention& f = a.forward;
  const Blocks blocks(f);
  const std::int64_t sharing = scores_shared(f) ? f.batch : 1;
  const Dtype dtype = f.q.dtype;
  const std::int64_t width = f.heads * f.head_dim;
  const HeadsView dout{a.dout.data, width, f.queries * width, a.dout.dtype};
  const Mask drop = mask(f.dropout);
  const Target dq(f, a.dq, f.queries, scratch);
  const Target dk(f, a.dk, f.keys, scratch);
  const Target dv(f, a.dv, f.keys, scratch);
  const Scratch p(scratch, {blocks.scores(f)});
  const Scratch dp(scratch, {blocks.scores(f)});
  const Scratch dots(scratch, {f.batch, f.heads, f.queries});
  std::optional<Scratch> masked, ds, ds_sum;
  const bool narrow = dtype != Dtype::kFloat32;
  if (narrow || sharing > 1) masked.emplace(scratch, Shape{blocks.scores(f)}, dtype);
  if (narrow) ds.emplace(scratch, Shape{blocks.scores(f)}, dtype);
  if (sharing > 1) ds_sum.emplace(scratch, Shape{blocks.scores(f)});
  const Work w{p.data(), dp.data(), masked ? **masked : *p, ds ? **ds : (ds_sum ? **ds_sum : *dp),
               ds_sum ? **ds_sum : Tensor{}};
  with_type(dtype, [&](auto t) {
    using T = decltype(t);
    output_dots(stream_, elements<T>(a.dout), elements<T>(f.out), dots.data(), f.batch, f.queries,
                f.heads, f.head_dim);
    for (std::int64_t begin = 0; begin < f.batch; begin += sharing) {
      for (std::int64_t first = 0; first < f.queries; first += blocks.rows) {
        ScoreRows r = rows_of(f, blocks, first);
        r.sums_sample = begin;
        const Products products{*this, f, r};
        products.scores(f.q, f.k, begin, score_scale(f), w.p);
        probability_rows(stream_, r, w.p);
        for (std::int64_t b = begin; b < begin + sharing; ++b) {
          r.sample = b;
          products.scores(dout, f.v, b, 1.0F, w.dp);
          if (w.ds_sum.empty()) {
            score_gradient_rows(stream_, r, w.p, w.dp, dots.data(), drop, elements<T>(w.masked),
                                elements<T>(w.ds), false);
          } else {
            score_gradient_rows(stream_, r, w.p, w.dp, dots.data(), drop, elements<T>(w.masked),
                                w.ds_sum.data, b > begin);
          }
          const bool add = first > 0 || (dv.view().batch_stride == 0 && b > 0);
          if (dv.wanted()) products.per_key(w.masked, dout, b, 1.0F, dv.view(), b, add);
        }
        if (!w.ds_sum.empty() && narrow) cast(w.ds, w.ds_sum);
        if (dq.wanted()) {
          const bool add = dq.view().batch_stride == 0 && begin > 0;
          products.per_query(w.ds, f.k, begin, score_scale(f), dq.view(), begin, add);
        }
        if (dk.wanted()) {
          const bool add = first > 0 || (dk.view().batch_stride == 0 && begin > 0);
          products.per_key(w.ds, f.q, begin, score_scale(f), dk.view(), begin, add);
        }
      }
    }
  });
  dq.finish(stream_);
  dk.finish(stream_);
  dv.finish(stream_);
}

}  // namespace cdt

// Attention by way of score matrices: products through cuBLASLt, and between them one fused kernel
// for the exponentials and the exact dropout mask. Scores exist for some queries of all heads of
// one sample at a time, a block that stays in the second-level cache. Where the batch shares
// queries and keys they serve all its samples, and where there are several seeds all of these. The
// backward pass computes scores again from log_sum_exp.
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
  /// Do earlier samples add up in the place of sample b?
  bool shared_before(std::int64_t b) const { return view_.batch_stride == 0 && b > 0; }
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

/// The backward pass; seeds are samples. `together` samples have the same scores. Unless they are
/// seeds, the gradient of these is the sum of theirs.
class ScoresBackward {
 public:
  ScoresBackward(CudaBackend& backend, cudaStream_t stream, const AttentionBackward& a,
                 const Mask& mask, Arena& scratch)
      : backend_(backend),
        stream_(stream),
        f_(forward_of(a)),
        dout_(dense_view(f_, a.dout)),
        mask_(mask),
        blocks_(f_),
        together_(scores_shared(f_) ? f_.batch : 1),
        sums_(together_ > 1 && a.seeds == 1),
        dq_(f_, a.dq, f_.queries, scratch),
        dk_(f_, a.dk, f_.keys, scratch),
        dv_(f_, a.dv, f_.keys, scratch),
        p_(scratch, {blocks_.scores(f_)}),
        dp_(scratch, {blocks_.scores(f_)}),
        dots_(scratch, {f_.batch, f_.heads, f_.queries}),
        masked_(*p_),
        ds_(*dp_) {
    const Shape scores{blocks_.scores(f_)};
    const Dtype dtype = f_.q.dtype;
    const bool narrow = dtype != Dtype::kFloat32;
    if (narrow || together_ > 1) masked_ = *apart_[0].emplace(scratch, scores, dtype);
    if (sums_) ds_sum_ = ds_ = *apart_[1].emplace(scratch, scores, Dtype::kFloat32);
    if (narrow) ds_ = *apart_[2].emplace(scratch, scores, dtype);
  }

  void run() {
    with_type(f_.q.dtype, [&](auto t) {
      using T = decltype(t);
      output_dots(stream_, reinterpret_cast<const T*>(dout_.data), elements<T>(f_.out),
                  dots_.data(), f_.batch, f_.out.shape[0], f_.queries, f_.heads, f_.head_dim);
      for (std::int64_t begin = 0; begin < f_.batch; begin += together_) {
        for (std::int64_t first = 0; first < f_.queries; first += blocks_.rows) {
          block(begin, first, T{});
        }
      }
    });
    for (const Target* target : {&dq_, &dk_, &dv_}) target->finish(stream_);
  }

 private:
  template <class T>
  void block(std::int64_t begin, std::int64_t first, T type) {
    ScoreRows r = rows_of(f_, blocks_, first);
    r.sums_sample = begin;
    const Products products{backend_, f_, r};
    products.scores(f_.q, f_.k, begin, score_scale(f_), p_.data());
    probability_rows(stream_, r, p_.data());
    for (std::int64_t b = begin; b < begin + together_; ++b) {
      r.sample = b;
      products.scores(dout_, f_.v, b, 1.0F, dp_.data());
      score_gradients(r, b > begin, type);
      if (dv_.wanted()) {
        const bool add = first > 0 || dv_.shared_before(b);
        products.per_key(masked_, dout_, b, 1.0F, dv_.view(), b, add);
      }
      if (!sums_) query_and_key_gradients(products, b, first > 0);
    }
    if (!sums_) return;
    if (ds_.dtype != Dtype::kFloat32) backend_.cast(ds_, ds_sum_);
    query_and_key_gradients(products, begin, first > 0);
  }

  /// masked and ds from p and dp; where samples add up, ds_sum (+)=.
  template <class T>
  void score_gradients(const ScoreRows& r, bool add, T /*type*/) const {
    T* masked = elements<T>(masked_);
    if (sums_) {
      score_gradient_rows(stream_, r, p_.data(), dp_.data(), dots_.data(), mask_, masked,
                          ds_sum_.data, add);
    } else {
      score_gradient_rows(stream_, r, p_.data(), dp_.data(), dots_.data(), mask_, masked,
                          elements<T>(ds_), false);
    }
  }

  void query_and_key_gradients(const Products& products, std::int64_t b, bool later_block) const {
    if (dq_.wanted()) {
      products.per_query(ds_, f_.k, b, score_scale(f_), dq_.view(), b, dq_.shared_before(b));
    }
    if (dk_.wanted()) {
      const bool add = later_block || dk_.shared_before(b);
      products.per_key(ds_, f_.q, b, score_scale(f_), dk_.view(), b, add);
    }
  }

  CudaBackend& backend_;
  cudaStream_t stream_;
  Attention f_;
  HeadsView dout_;
  Mask mask_;
  Blocks blocks_;
  std::int64_t together_;
  bool sums_;
  Target dq_, dk_, dv_;
  Scratch p_, dp_, dots_;
  std::optional<Scratch> apart_[3];
  // In float32 `masked` and `ds` are p and dp themselves, unless several samples need p.
  Tensor masked_, ds_, ds_sum_;
};

}  // namespace

void CudaBackend::attention_by_scores(const Attention& a, Arena& scratch) {
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
  const HeadsView out = dense_view(a, a.out);
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

void CudaBackend::attention_backward_by_scores(const AttentionBackward& a, Arena& scratch) {
  ScoresBackward(*this, stream_, a, mask(a.forward.dropout), scratch).run();
}

}  // namespace cdt

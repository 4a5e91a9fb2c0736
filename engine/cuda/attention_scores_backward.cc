// The gradients of attention_scores.cc; scores are computed again from log_sum_exp. Scores that are
// the same for several samples, or for all cotangents of one, serve all of these.
//
// With m the mask over 1 - p, P the probabilities and D_i = dout_i . out_i:
//   dv = (P m)^T dout           dS = P (m (dout v^T) - D)
//   dq = dS k / sqrt(K)         dk = dS^T q / sqrt(K)
#include <optional>

#include "engine/bfloat16.h"
#include "engine/cuda/launch.h"
#include "engine/cuda/score_blocks.h"

namespace cdt {
namespace {

/// A gradient that several products add up: itself where it is float32, else float32 memory of
/// all its rows that finish() rounds.
class RoundedSum {
 public:
  RoundedSum(const Attention& f, const HeadsView& gradient, std::int64_t rows, Arena& scratch)
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

/// The backward pass; cotangents are samples. `together` samples have the same scores. Unless they
/// are cotangents, the gradient of these is the sum of theirs.
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
        sums_(together_ > 1 && a.cotangents == 1),
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
    for (const RoundedSum* target : {&dq_, &dk_, &dv_}) target->finish(stream_);
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
  RoundedSum dq_, dk_, dv_;
  Scratch p_, dp_, dots_;
  std::optional<Scratch> apart_[3];
  // In float32 `masked` and `ds` are p and dp themselves, unless several samples need p.
  Tensor masked_, ds_, ds_sum_;
};

}  // namespace

void CudaBackend::attention_backward_by_scores_scratch(const AttentionBackward& a, Arena& scratch) {
  const ScoresBackward all(*this, stream_, a, {}, scratch);
}

void CudaBackend::attention_backward_by_scores(const AttentionBackward& a, Arena& scratch) {
  ScoresBackward(*this, stream_, a, mask(a.forward.dropout), scratch).run();
}

}  // namespace cdt

// The gradients of attention_scores.cc; scores are recomputed from log_sum_exp. Samples, or the
// cotangents of one sample, that have the same scores share one computation of them.
//
// With m the mask over 1 - p, P the probabilities and D_i = dout_i . out_i:
//   dv = (P m)^T dout           dS = P (m (dout v^T) - D)
//   dq = dS k / sqrt(K)         dk = dS^T q / sqrt(K)
#include <optional>

#include "engine/cuda/launch.h"
#include "engine/cuda/score_blocks.h"

namespace cdt {
namespace {

/// The backward pass, with cotangents treated as samples. `together_` consecutive samples share
/// their scores. Unless these samples are cotangents, their gradients of q and k are summed.
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
        dq_(a.dq),
        dk_(a.dk),
        dv_(a.dv),
        p_(scratch, {blocks_.scores(f_)}),
        dp_(scratch, {blocks_.scores(f_)}),
        dots_(scratch, {f_.batch, f_.heads, f_.queries}),
        masked_(p_.data()),
        ds_(dp_.data()) {
    const Shape scores{blocks_.scores(f_)};
    if (together_ > 1) masked_ = apart_[0].emplace(scratch, scores).data();
    if (sums_) ds_ = apart_[1].emplace(scratch, scores).data();
  }

  void run() {
    output_dots(stream_, dout_.data, f_.out.data, dots_.data(), f_.batch, f_.out.shape[0],
                f_.queries, f_.heads, f_.head_dim);
    for (std::int64_t begin = 0; begin < f_.batch; begin += together_) {
      for (std::int64_t first = 0; first < f_.queries; first += blocks_.rows) block(begin, first);
    }
  }

 private:
  void block(std::int64_t begin, std::int64_t first) {
    ScoreRows r = rows_of(f_, blocks_, first);
    r.sums_sample = begin;
    const Products products{backend_, f_, r};
    products.scores(f_.q, f_.k, begin, score_scale(f_), p_.data());
    probability_rows(stream_, r, p_.data());
    for (std::int64_t b = begin; b < begin + together_; ++b) {
      r.sample = b;
      products.scores(dout_, f_.v, b, 1.0F, dp_.data());
      score_gradient_rows(stream_, r, p_.data(), dp_.data(), dots_.data(), mask_, masked_, ds_,
                          sums_ && b > begin);
      if (dv_.data != nullptr) {
        products.per_key(masked_, dout_, b, 1.0F, dv_, b, first > 0 || shared_before(dv_, b));
      }
      if (!sums_) query_and_key_gradients(products, b, first > 0);
    }
    if (sums_) query_and_key_gradients(products, begin, first > 0);
  }

  void query_and_key_gradients(const Products& products, std::int64_t b, bool later_block) const {
    if (dq_.data != nullptr) {
      products.per_query(ds_, f_.k, b, score_scale(f_), dq_, b, shared_before(dq_, b));
    }
    if (dk_.data != nullptr) {
      products.per_key(ds_, f_.q, b, score_scale(f_), dk_, b, later_block || shared_before(dk_, b));
    }
  }
  /// True if earlier samples accumulate into the same memory as sample b.
  static bool shared_before(const HeadsView& gradient, std::int64_t b) {
    return gradient.batch_stride == 0 && b > 0;
  }

  CudaBackend& backend_;
  cudaStream_t stream_;
  Attention f_;
  HeadsView dout_;
  Mask mask_;
  Blocks blocks_;
  std::int64_t together_;
  bool sums_;
  HeadsView dq_, dk_, dv_;
  Scratch p_, dp_, dots_;
  std::optional<Scratch> apart_[2];
  // p_ and dp_ themselves, unless several samples need p.
  float *masked_, *ds_;
};

}  // namespace

void CudaBackend::attention_backward_by_scores_scratch(const AttentionBackward& a, Arena& scratch) {
  const ScoresBackward all(*this, stream_, a, {}, scratch);
}

void CudaBackend::attention_backward_by_scores(const AttentionBackward& a, Arena& scratch) {
  ScoresBackward(*this, stream_, a, mask(a.forward.dropout), scratch).run();
}

}  // namespace cdt

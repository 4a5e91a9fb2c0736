// Chooses the implementation of attention: cuDNN's kernels if enabled and verified
// (cudnn_choice.h), else the tiled kernels if they support the operands, else score matrices in
// float32 (attention_scores.cc), with the operands converted to float32.
#include <optional>

#include "engine/bfloat16.h"
#include "engine/cuda/attention_memory.h"
#include "engine/cuda/attention_parts.h"
#include "engine/cuda/attention_widened.h"
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/fused_attention.h"
#include "engine/cuda/launch.h"
#include "engine/cuda/score_blocks.h"
#include "engine/kernel_types.h"

namespace cdt {
namespace {

constexpr std::int64_t kLoadBytes = 16;  // width of the kernels' loads

/// True if the tiled kernels can read the operand, or if it is absent.
bool fits(const HeadsView& view) {
  const auto bytes = bytes_of(view.dtype);
  return view.data == nullptr ||
         (reinterpret_cast<std::uintptr_t>(view.data) % kLoadBytes == 0 &&
          view.row_stride * bytes % kLoadBytes == 0 && view.batch_stride * bytes % kLoadBytes == 0);
}

template <class T>
FusedView<T> fused_view(const HeadsView& view) {
  return {reinterpret_cast<T*>(view.data), view.row_stride, view.batch_stride};
}

/// mask: dropout mask of the probabilities.
template <class T>
FusedAttention<T> fused_form(const Attention& a, const TiledOperands<T>& operands,
                             const Mask& mask) {
  return {.batch = static_cast<int>(a.batch),
          .heads = static_cast<int>(a.heads),
          .head_dim = static_cast<int>(a.head_dim),
          .queries = static_cast<int>(a.queries),
          .keys = static_cast<int>(a.keys),
          .scale = score_scale(a),
          .kept_scale = mask.scale,
          .q = operands.q.view(),
          .k = operands.k.view(),
          .v = operands.v.view(),
          .out = fused_view<Result<T>>(dense_view(a, a.out)),
          .log_sum_exp = a.log_sum_exp.data,
          .sums_stride = scores_shared(a) ? 0 : a.heads * a.queries,
          .kept = {}};
}

/// The results of our own kernels, with which cuDNN's are compared.
class OwnResults {
 public:
  OwnResults(const Attention& a, Arena& scratch)
      : out_(scratch, a.out.shape, a.out.dtype),
        sums_(scratch, a.log_sum_exp.shape),
        attention_(a) {
    attention_.out = *out_;
    attention_.log_sum_exp = *sums_;
    attention_.probabilities = {};
  }
  const Attention& attention() const { return attention_; }

 private:
  Scratch out_, sums_;
  Attention attention_;
};

/// Computes dq and dk for attention_backward_together().
void multiply_shared_gradients(Backend& backend, const AttentionBackward& a, const Attention& f,
                               const Tensor& scores, std::int64_t ld) {
  const float alpha = score_scale(f) * f.dropout.scale();
  const Matrix ds(scores, f.keys, f.queries, ld, f.heads, f.keys * ld);
  multiply(backend, transposed(ds), head_rows(f, f.k, 0, 0, f.keys),
           head_rows(f, a.dq, 0, 0, f.queries), {.alpha = alpha});
  multiply(backend, ds, head_rows(f, f.q, 0, 0, f.queries), head_rows(f, a.dk, 0, 0, f.keys),
           {.alpha = alpha});
}

}  // namespace

template <class Body>
void CudaBackend::with_tiles(const Attention& a, const Body& body) const {
  if (a.q.dtype == Dtype::kBFloat16) {
    body(BFloat16{});
  } else if (options_.precision == Precision::kBFloat16x3) {
    body(FloatPart{});
  } else if (options_.precision == Precision::kTf32) {
    body(float{});
  }
}

bool CudaBackend::fuses(const Attention& a) const {
  if (!options_.fused_attention) return false;
  std::size_t shared = 0;
  with_tiles(a, [&](auto t) { shared = fused_attention_bytes<decltype(t)>(a.head_dim); });
  return shared > 0 && shared <= shared_limit_ && fits(a.q) && fits(a.k) && fits(a.v) &&
         fits(dense_view(a, a.out)) && is_shared(a.k, a.batch) == is_shared(a.v, a.batch);
}

bool CudaBackend::fuses_together(const Attention& a) const {
  int shared = 0;
  with_tiles(a, [&](auto t) {
    using T = decltype(t);
    shared = std::max(mix_shared_bytes<T>(a.head_dim), shared_gradient_bytes<T>(a.head_dim));
  });
  return static_cast<std::size_t>(shared) <= shared_limit_ && a.batch > 1 && a.dropout.p > 0.0F &&
         scores_shared(a) && is_shared(a.v, a.batch);
}

bool CudaBackend::fuses_together(const AttentionBackward& a) const {
  const auto is_sum = [](const HeadsView& v) { return v.data != nullptr && v.batch_stride == 0; };
  return fuses_together(a.forward) && is_sum(a.dq) && is_sum(a.dk) && is_sum(a.dv);
}

bool CudaBackend::fuses(const AttentionBackward& a) const {
  return fuses(forward_of(a)) && fits(dense_view(a.forward, a.dout)) && fits(a.dq) && fits(a.dk) &&
         fits(a.dv) && (a.dk.data == nullptr) == (a.dv.data == nullptr) &&
         (a.dk.batch_stride == 0) == (a.dv.batch_stride == 0);
}

bool CudaBackend::may_be_cudnns(const Attention& a) const {
  return cudnn_ != nullptr && a.dropout.p <= 0.0F && a.q.dtype == Dtype::kBFloat16;
}

bool CudaBackend::suits_cudnn(const Attention& a) const {
  return fuses(a) && !(a.batch > 1 && scores_shared(a));
}

bool CudaBackend::attention_by_cudnn(const Attention& a, Arena& scratch) {
  if (!may_be_cudnns(a)) return false;
  using Form = CudnnChoice::Form;
  if (!suits_cudnn(a)) {
    cudnn_->refuse(a, "its heads, their addresses or shared scores do not suit cuDNN");
    return false;
  }
  if (cudnn_->form(a) == Form::kUnknown && !capturing()) {
    const OwnResults own(a, scratch);
    cudnn_->decide(*this, a, own.attention(), [&] { own_attention(own.attention(), scratch); });
  }
  if (cudnn_->form(a) != Form::kCudnn) return false;
  cudnn_->run(a);
  return true;
}

std::int64_t CudaBackend::attention_kept_floats(const Attention& a) {
  if (recomputes() || a.dropout.p <= 0.0F || !fuses(a)) return 0;
  return KeptMemory::floats(a, a.queries, a.keys) + KeptMemory::floats(a, a.keys, a.queries);
}

void CudaBackend::attention_scratch(const Attention& a, Arena& scratch) {
  std::optional<OwnResults> own;
  if (may_be_cudnns(a) && suits_cudnn(a)) own.emplace(a, scratch);
  if (fuses(a)) {
    with_tiles(a, [&](auto t) { const ForwardMemory<decltype(t)> memory(a, scratch); });
  } else if (a.q.dtype == Dtype::kBFloat16) {
    const WideForward wide(a, scratch);
    attention_by_scores_scratch(wide.attention(), scratch);
  } else {
    attention_by_scores_scratch(a, scratch);
  }
}

void CudaBackend::attention(const Attention& a, Arena& scratch) {
  if (!attention_by_cudnn(a, scratch)) return own_attention(a, scratch);
  if (a.probabilities.empty()) return;
  const TiledOperands<BFloat16> operands(a, scratch);
  attention_map(stream_, fused_form(a, operands, mask(a.dropout)), a.probabilities.data);
}

void CudaBackend::own_attention(const Attention& a, Arena& scratch) {
  if (fuses(a)) {
    with_tiles(a, [&](auto t) {
      using T = decltype(t);
      const ForwardMemory<T> memory(a, scratch);
      FusedAttention<T> f = fused_form(a, memory.operands, mask(a.dropout));
      f.kept = memory.by_query.bits();
      memory.operands.load(stream_);
      draw(f.kept, memory.by_key.bits(), a);
      if (fuses_together(a)) {
        FusedAttention<T> sums = f;  // for the log-sum-exp of the one shared sample
        sums.batch = 1;
        sums.out = {};
        sums.kept = {};
        fused_attention(stream_, sums);
        attention_together(stream_, f);
      } else {
        fused_attention(stream_, f);
      }
      if (!a.probabilities.empty()) attention_map(stream_, f, a.probabilities.data);
    });
  } else if (a.q.dtype == Dtype::kBFloat16) {
    const WideForward wide(a, scratch);
    wide.load(stream_);
    attention_by_scores(wide.attention(), scratch);
    cast(a.out, wide.attention().out);
  } else {
    attention_by_scores(a, scratch);
  }
}

void CudaBackend::attention_backward_scratch(const AttentionBackward& a, Arena& scratch) {
  if (fuses(a)) {
    with_tiles(a.forward, [&](auto t) {
      const BackwardMemory<decltype(t)> memory(a, fuses_together(a), scratch);
    });
  } else if (a.forward.q.dtype == Dtype::kBFloat16) {
    const WideBackward wide(a, scratch);
    attention_backward_by_scores_scratch(wide.attention(), scratch);
  } else {
    attention_backward_by_scores_scratch(a, scratch);
  }
}

void CudaBackend::attention_backward(const AttentionBackward& a, Arena& scratch) {
  if (fuses(a)) {
    with_tiles(a.forward, [&](auto t) {
      using T = decltype(t);
      using R = Result<T>;
      const bool together = fuses_together(a);
      const BackwardMemory<T> memory(a, together, scratch);
      const Attention& f = memory.f;
      FusedAttentionBackward<T> b{.forward = fused_form(f, memory.operands, mask(f.dropout)),
                                  .dout = memory.dout.view(),
                                  .dq = fused_view<R>(a.dq),
                                  .dk = fused_view<R>(a.dk),
                                  .dv = fused_view<R>(a.dv),
                                  .row_sums = memory.row_sums(),
                                  .kept_of_keys = memory.by_key.bits()};
      b.forward.kept = memory.by_query.bits();
      memory.operands.load(stream_);
      memory.dout.load(stream_);
      if (f.kept.empty()) draw(b.forward.kept, b.kept_of_keys, f);
      row_sums(stream_, b.forward, fused_view<R>(dense_view(f, a.dout)),
               static_cast<int>(f.out.shape[0]), memory.row_sums());
      if (together) {
        attention_backward_together(stream_, b,
                                    SharedSums<T>{.ds = elements<R>(**memory.ds),
                                                  .ld = memory.ld,
                                                  .dv = memory.dv_parts->data(),
                                                  .parts = static_cast<int>(memory.parts)});
        return multiply_shared_gradients(*this, a, f, **memory.ds, memory.ld);
      }
      fused_attention_backward(stream_, b);
    });
  } else if (a.forward.q.dtype == Dtype::kBFloat16) {
    const WideBackward wide(a, scratch);
    wide.load(stream_);
    cast(wide.attention().forward.out, a.forward.out);
    cast(wide.attention().dout, a.dout);
    attention_backward_by_scores(wide.attention(), scratch);
    wide.store(stream_);
  } else {
    attention_backward_by_scores(a, scratch);
  }
}

void CudaBackend::draw(const KeptBits& by_query, const KeptBits& by_key, const Attention& a) {
  if (by_query.words == nullptr && by_key.words == nullptr) return;
  draw_kept(stream_, mask(a.dropout), static_cast<int>(a.batch * a.heads),
            static_cast<int>(a.queries), static_cast<int>(a.keys), by_query, by_key);
}

}  // namespace cdt

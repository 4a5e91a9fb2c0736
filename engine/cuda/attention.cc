// Which form of attention runs: one fused kernel each way where there is one that computes the same
// function, else score matrices (attention_scores.cc).
#include "engine/bfloat16.h"
#include "engine/cuda/attention_rows.h"
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/fused_attention.h"
#include "engine/cuda/launch.h"
#include "engine/kernel_types.h"

namespace cdt {
namespace {

constexpr std::uintptr_t kAlign = 16;  // bytes, of the kernels' loads
constexpr std::int64_t kAlignElements = 8;

/// Can the kernels read it, or is it absent?
bool fits(const HeadsView& view) {
  return view.data == nullptr ||
         (view.dtype == Dtype::kBFloat16 &&
          reinterpret_cast<std::uintptr_t>(view.data) % kAlign == 0 &&
          view.row_stride % kAlignElements == 0 && view.batch_stride % kAlignElements == 0);
}

FusedView fused_view(const HeadsView& view) {
  return {reinterpret_cast<BFloat16*>(view.data), view.row_stride, view.batch_stride};
}

FusedAttention fused_form(const Attention& a, const Mask& mask) {
  return {.batch = static_cast<int>(a.batch),
          .heads = static_cast<int>(a.heads),
          .queries = static_cast<int>(a.queries),
          .keys = static_cast<int>(a.keys),
          .scale = score_scale(a),
          .q = fused_view(a.q),
          .k = fused_view(a.k),
          .v = fused_view(a.v),
          .out = fused_view(dense_view(a, a.out)),
          .log_sum_exp = a.log_sum_exp.data,
          .sums_stride = a.heads * a.queries,
          .mask = mask};
}

/// What the backward kernels take from scratch: (B, H, Nq), sum over K of dout * out.
struct OutputDots : Scratch {
  OutputDots(const Attention& f, Arena& scratch)
      : Scratch(scratch, {f.batch, f.heads, f.queries}) {}
};

}  // namespace

bool CudaBackend::fuses(const Attention& a) const {
  const std::size_t shared = fused_attention_shared(a.head_dim);
  return options_.fused_attention && shared > 0 && shared <= shared_limit_ &&
         a.probabilities.empty() && (a.batch == 1 || !scores_shared(a)) && fits(a.q) && fits(a.k) &&
         fits(a.v) && fits(dense_view(a, a.out));
}

bool CudaBackend::fuses(const AttentionBackward& a) const {
  // A gradient that the samples share is a sum over blocks.
  const auto of_its_own = [&](const HeadsView& gradient) {
    return gradient.data == nullptr || a.forward.batch == 1 || gradient.batch_stride != 0;
  };
  return fuses(a.forward) && fits(dense_view(a.forward, a.dout)) && fits(a.dq) && fits(a.dk) &&
         fits(a.dv) && of_its_own(a.dq) && of_its_own(a.dk) && of_its_own(a.dv);
}

void CudaBackend::attention(const Attention& a, Arena& scratch) {
  if (!fuses(a)) return attention_by_scores(a, scratch);
  fused_attention(stream_, fused_form(a, mask(a.dropout)), a.head_dim);
}

void CudaBackend::attention_scratch(const Attention& a, Arena& scratch) {
  if (!fuses(a)) attention_by_scores_scratch(a, scratch);
}

void CudaBackend::attention_backward_scratch(const AttentionBackward& a, Arena& scratch) {
  if (!fuses(a)) return attention_backward_by_scores_scratch(a, scratch);
  const OutputDots dots(forward_of(a), scratch);
}

void CudaBackend::attention_backward(const AttentionBackward& a, Arena& scratch) {
  if (!fuses(a)) return attention_backward_by_scores(a, scratch);
  const Attention f = forward_of(a);
  const OutputDots dots(f, scratch);
  output_dots(stream_, elements<BFloat16>(a.dout), elements<BFloat16>(f.out), dots.data(), f.batch,
              f.out.shape[0], f.queries, f.heads, f.head_dim);
  FusedAttentionBackward b{.forward = fused_form(f, mask(f.dropout)),
                           .dout = fused_view(dense_view(f, a.dout)),
                           .dq = fused_view(a.dq),
                           .dk = fused_view(a.dk),
                           .dv = fused_view(a.dv),
                           .dots = dots.data()};
  if (a.cotangents > 1) b.forward.sums_stride = 0;  // one sample's
  fused_attention_backward(stream_, b, f.head_dim);
}

}  // namespace cdt

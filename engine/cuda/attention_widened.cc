#include "engine/cuda/attention_widened.h"

#include "engine/bfloat16.h"
#include "engine/cuda/attention_rows.h"

namespace cdt {
namespace {

template <class T>
Rows<T> rows_of(const HeadsView& v) {
  return {reinterpret_cast<T*>(v.data), v.row_stride, v.batch_stride};
}

}  // namespace

WideView::WideView(const HeadsView& narrow, std::int64_t batch, std::int64_t rows,
                   std::int64_t width, Arena& scratch)
    : narrow_(narrow), samples_(is_shared(narrow, batch) ? 1 : batch), rows_(rows), width_(width) {
  if (narrow.data != nullptr) memory_.emplace(scratch, Shape{samples_, rows, width});
}

HeadsView WideView::view() const {
  if (!memory_) return {};
  return {memory_->data(), width_, samples_ == 1 ? 0 : rows_ * width_, Dtype::kFloat32};
}

void WideView::load(cudaStream_t stream) const {
  if (!memory_) return;
  copy_rows(stream, rows_of<float>(view()), rows_of<BFloat16>(narrow_), samples_, rows_, width_);
}

void WideView::store(cudaStream_t stream) const {
  if (!memory_) return;
  copy_rows(stream, rows_of<BFloat16>(narrow_), rows_of<float>(view()), samples_, rows_, width_);
}

WideForward::WideForward(const Attention& a, Arena& scratch)
    : a_(a),
      q_(a.q, a.batch, a.queries, a.heads * a.head_dim, scratch),
      k_(a.k, a.batch, a.keys, a.heads * a.head_dim, scratch),
      v_(a.v, a.batch, a.keys, a.heads * a.head_dim, scratch),
      out_(scratch, a.out.shape) {}

Attention WideForward::attention() const {
  Attention wide = a_;
  wide.q = q_.view();
  wide.k = k_.view();
  wide.v = v_.view();
  wide.out = *out_;
  return wide;
}

void WideForward::load(cudaStream_t stream) const {
  for (const WideView* view : {&q_, &k_, &v_}) view->load(stream);
}

WideBackward::WideBackward(const AttentionBackward& a, Arena& scratch)
    : a_(a),
      forward_(a.forward, scratch),
      dout_(scratch, a.dout.shape),
      dq_(a.dq, a.dout.shape[0], a.forward.queries, a.dout.cols(), scratch),
      dk_(a.dk, a.dout.shape[0], a.forward.keys, a.dout.cols(), scratch),
      dv_(a.dv, a.dout.shape[0], a.forward.keys, a.dout.cols(), scratch) {}

AttentionBackward WideBackward::attention() const {
  AttentionBackward wide = a_;
  wide.forward = forward_.attention();
  wide.dout = *dout_;
  wide.dq = dq_.view();
  wide.dk = dk_.view();
  wide.dv = dv_.view();
  return wide;
}

void WideBackward::load(cudaStream_t stream) const { forward_.load(stream); }

void WideBackward::store(cudaStream_t stream) const {
  for (const WideView* view : {&dq_, &dk_, &dv_}) view->store(stream);
}

}  // namespace cdt

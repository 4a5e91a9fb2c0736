#include "engine/ops/feed_forward.h"

#include <algorithm>

namespace cdt {
namespace {

// pre(r, F) = x(r, D) w1^T + b1
void expand(Backend& backend, const Tensor& x, const FeedForwardParameters& w, const Tensor& pre) {
  const std::int64_t inner = pre.cols();
  backend.gemm({.trans_b = true,
                .m = pre.rows(),
                .n = inner,
                .k = x.cols(),
                .a = x,
                .lda = x.cols(),
                .b = weight_as(w.w1, x.dtype),
                .ldb = x.cols(),
                .c = pre,
                .ldc = inner,
                .bias = weight_as(w.b1, x.dtype)});
}

// y(r, D) = h(r, F) w2^T + b2
void contract(Backend& backend, const Tensor& h, const FeedForwardParameters& w, const Tensor& y) {
  const std::int64_t inner = h.cols();
  backend.gemm({.trans_b = true,
                .m = h.rows(),
                .n = y.cols(),
                .k = inner,
                .a = h,
                .lda = inner,
                .b = weight_as(w.w2, h.dtype),
                .ldb = inner,
                .c = y,
                .ldc = y.cols(),
                .bias = weight_as(w.b2, h.dtype)});
}

// dh(r, F) = dy(r, D) w2 and the gradients of w2 and b2, for rows from `first` on.
void contract_backward(Tape& tape, const FeedForward& f, std::int64_t first, const Tensor& dy,
                       const Tensor& dh) {
  Backend& backend = tape.backend();
  const std::int64_t rows = dy.rows();
  const std::int64_t inner = dh.cols();
  const std::int64_t width = dy.cols();
  if (f.w.w2->needs_grad) {  // dW2(D, F) += dy^T h
    const Scratch h(tape.scratch(), {rows, inner}, dy.dtype);
    backend.gelu_dropout(f.pre.slice(first, first + rows), f.key, first, *h);
    backend.gemm({.trans_a = true,
                  .m = width,
                  .n = inner,
                  .k = rows,
                  .a = dy,
                  .lda = width,
                  .b = *h,
                  .ldb = inner,
                  .beta = 1.0F,
                  .c = f.w.w2->grad.data,
                  .ldc = inner});
  }
  if (f.w.b2->needs_grad) backend.column_sum(dy, f.w.b2->grad, true);
  backend.gemm({.m = rows,
                .n = inner,
                .k = width,
                .a = dy,
                .lda = width,
                .b = weight_as(f.w.w2, dy.dtype),
                .ldb = inner,
                .c = dh,
                .ldc = inner});
}

void feed_forward_rule(Tape& tape, const FeedForward& f, Var x, const Tensor& dy) {
  const std::int64_t rows = f.x.rows();
  const GradTarget dx = x->needs_grad ? tape.gradient(x) : GradTarget{};
  for (std::int64_t first = 0; first < rows; first += kFeedForwardRows) {
    const std::int64_t end = std::min(rows, first + kFeedForwardRows);
    GradTarget part = dx;
    if (!dx.grad.empty()) part.grad = dx.grad.reshaped(f.x.shape).slice(first, end);
    const Scratch dh(tape.scratch(), {end - first, f.pre.cols()}, dy.dtype);
    contract_backward(tape, f, first, dy.slice(first, end), *dh);
    inner_backward(tape, f, first, *dh, part);
  }
}

}  // namespace

FeedForward feed_forward_value(Tape& tape, Var x, const FeedForwardParameters& w, float p,
                               bool for_rule, const Tensor& y) {
  const std::int64_t width = x->value.cols();
  const std::int64_t inner = w.w1->value.shape[0];
  const std::int64_t rows = x->value.rows();
  expect_shape("feed_forward", "w1", w.w1->value, {inner, width});
  expect_shape("feed_forward", "b1", w.b1->value, {inner});
  expect_shape("feed_forward", "w2", w.w2->value, {width, inner});
  expect_shape("feed_forward", "b2", w.b2->value, {width});
  const Dtype dtype = x->value.dtype;
  const FeedForward f{
      w, tape.next_dropout(p), x->value.reshaped({rows, width}),
      tape.saved({for_rule ? rows : std::min(rows, kFeedForwardRows), inner}, dtype)};
  for (std::int64_t first = 0; first < rows; first += kFeedForwardRows) {
    const std::int64_t end = std::min(rows, first + kFeedForwardRows);
    const Tensor part = for_rule ? f.pre.slice(first, end) : f.pre.slice(0, end - first);
    const Scratch h(tape.scratch(), {end - first, inner}, dtype);
    expand(tape.backend(), f.x.slice(first, end), w, part);
    tape.backend().gelu_dropout(part, f.key, first, *h);
    contract(tape.backend(), *h, w, y.slice(first, end));
  }
  return f;
}

void inner_backward(Tape& tape, const FeedForward& f, std::int64_t first, const Tensor& dh,
                    const GradTarget& dx) {
  Backend& backend = tape.backend();
  const std::int64_t rows = dh.rows();
  const std::int64_t inner = dh.cols();
  const std::int64_t width = f.x.cols();
  backend.gelu_dropout_backward(f.pre.slice(first, first + rows), dh, f.key, first, dh);
  if (f.w.w1->needs_grad) {  // dW1(F, D) += dpre^T x
    backend.gemm({.trans_a = true,
                  .m = inner,
                  .n = width,
                  .k = rows,
                  .a = dh,
                  .lda = inner,
                  .b = f.x.slice(first, first + rows),
                  .ldb = width,
                  .beta = 1.0F,
                  .c = f.w.w1->grad.data,
                  .ldc = width});
  }
  if (f.w.b1->needs_grad) backend.column_sum(dh, f.w.b1->grad, true);
  if (dx.grad.empty()) return;
  backend.gemm({.m = rows,
                .n = width,
                .k = inner,
                .a = dh,
                .lda = inner,
                .b = weight_as(f.w.w1, dh.dtype),
                .ldb = width,
                .beta = dx.accumulate ? 1.0F : 0.0F,
                .c = dx.grad,
                .ldc = width});
}

Var feed_forward(Tape& tape, Var x, const FeedForwardParameters& w, float p) {
  const OpScope op(tape, "feed_forward");
  const Var y =
      tape.output(x->value.shape, any_needs_grad({x, w.w1, w.b1, w.w2, w.b2}), x->value.dtype);
  const std::int64_t rows = x->value.rows();
  const Shape flat{rows, x->value.cols()};
  const FeedForward f = feed_forward_value(tape, x, w, p, y->needs_grad, y->value.reshaped(flat));
  tape.record(y, {f.pre},
              [&tape, x, y, f, flat] { feed_forward_rule(tape, f, x, y->grad.reshaped(flat)); });
  return y;
}

}  // namespace cdt

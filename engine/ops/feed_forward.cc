#include <algorithm>

#include "engine/ops.h"
#include "engine/ops/common.h"

namespace cdt {
namespace {

// The (R, F) activations are worked on in row chunks, so only the pre-activation exists in full.
constexpr std::int64_t kChunkRows = 4096;

// pre(r, F) = x(r, D) w1^T + b1
void expand(Backend& backend, const Tensor& x, Var w1, Var b1, const Tensor& pre) {
  const std::int64_t inner = pre.cols();
  backend.gemm({.trans_b = true,
                .m = pre.rows(),
                .n = inner,
                .k = x.cols(),
                .a = x,
                .lda = x.cols(),
                .b = factor(w1, x.dtype),
                .ldb = x.cols(),
                .c = pre,
                .ldc = inner,
                .bias = factor(b1, x.dtype)});
}

// y(r, D) = h(r, F) w2^T + b2
void contract(Backend& backend, const Tensor& h, Var w2, Var b2, const Tensor& y) {
  const std::int64_t inner = h.cols();
  backend.gemm({.trans_b = true,
                .m = h.rows(),
                .n = y.cols(),
                .k = inner,
                .a = h,
                .lda = inner,
                .b = factor(w2, h.dtype),
                .ldb = inner,
                .c = y,
                .ldc = y.cols(),
                .bias = factor(b2, h.dtype)});
}

struct Weights {
  Var w1, b1, w2, b2;
};

// One chunk of the gradient rule: all weight gradients and dx for rows [first, first + dy.rows()).
void backward_chunk(Tape& tape, const Weights& w, const Tensor& x, const Tensor& pre,
                    const Tensor& dy, const DropoutKey& key, std::int64_t first,
                    const GradTarget& dx) {
  Backend& backend = tape.backend();
  const std::int64_t rows = dy.rows();
  const std::int64_t inner = pre.cols();
  const std::int64_t width = x.cols();
  if (w.w2->needs_grad) {  // dW2(D, F) += dy^T h
    const Scratch h(tape.scratch(), {rows, inner}, dy.dtype);
    backend.gelu_dropout(pre, key, first, *h);
    backend.gemm({.trans_a = true,
                  .m = width,
                  .n = inner,
                  .k = rows,
                  .a = dy,
                  .lda = width,
                  .b = *h,
                  .ldb = inner,
                  .beta = 1.0F,
                  .c = w.w2->grad.data,
                  .ldc = inner});
  }
  if (w.b2->needs_grad) backend.column_sum(dy, w.b2->grad, true);
  const Scratch dh(tape.scratch(), {rows, inner}, dy.dtype);
  backend.gemm({.m = rows,
                .n = inner,
                .k = width,
                .a = dy,
                .lda = width,
                .b = factor(w.w2, dy.dtype),
                .ldb = inner,
                .c = *dh,
                .ldc = inner});
  backend.gelu_dropout_backward(pre, *dh, key, first, *dh);
  if (w.w1->needs_grad) {  // dW1(F, D) += dpre^T x
    backend.gemm({.trans_a = true,
                  .m = inner,
                  .n = width,
                  .k = rows,
                  .a = *dh,
                  .lda = inner,
                  .b = x,
                  .ldb = width,
                  .beta = 1.0F,
                  .c = w.w1->grad.data,
                  .ldc = width});
  }
  if (w.b1->needs_grad) backend.column_sum(*dh, w.b1->grad, true);
  if (dx.grad.empty()) return;
  backend.gemm({.m = rows,
                .n = width,
                .k = inner,
                .a = *dh,
                .lda = inner,
                .b = factor(w.w1, dy.dtype),
                .ldb = width,
                .beta = dx.accumulate ? 1.0F : 0.0F,
                .c = dx.grad,
                .ldc = width});
}

}  // namespace

Var feed_forward(Tape& tape, Var x, Var w1, Var b1, Var w2, Var b2, float p) {
  const std::int64_t width = x->value.cols();
  const std::int64_t inner = w1->value.shape[0];
  const std::int64_t rows = x->value.rows();
  expect_shape("feed_forward", "w1", w1->value, {inner, width});
  expect_shape("feed_forward", "b1", b1->value, {inner});
  expect_shape("feed_forward", "w2", w2->value, {width, inner});
  expect_shape("feed_forward", "b2", b2->value, {width});
  const DropoutKey key = tape.next_dropout(p);
  const Var y = tape.output(x->value.shape, any_needs_grad({x, w1, b1, w2, b2}), x->value.dtype);
  const Tensor x2 = x->value.reshaped({rows, width});
  const Tensor y2 = y->value.reshaped({rows, width});
  const bool keep_pre = y->needs_grad;
  const Dtype dtype = x->value.dtype;
  const Tensor pre = tape.saved({keep_pre ? rows : std::min(rows, kChunkRows), inner}, dtype);
  for (std::int64_t first = 0; first < rows; first += kChunkRows) {
    const std::int64_t end = std::min(rows, first + kChunkRows);
    const Tensor part = keep_pre ? pre.slice(first, end) : pre.slice(0, end - first);
    const Scratch h(tape.scratch(), {end - first, inner}, dtype);
    expand(tape.backend(), x2.slice(first, end), w1, b1, part);
    tape.backend().gelu_dropout(part, key, first, *h);
    contract(tape.backend(), *h, w2, b2, y2.slice(first, end));
  }
  tape.record(y, {pre}, [&tape, x, y, w = Weights{w1, b1, w2, b2}, pre, key, x2, rows, width] {
    const GradTarget dx = x->needs_grad ? tape.gradient(x) : GradTarget{};
    const Tensor dy = y->grad.reshaped({rows, width});
    for (std::int64_t first = 0; first < rows; first += kChunkRows) {
      const std::int64_t end = std::min(rows, first + kChunkRows);
      GradTarget part = dx;
      if (!dx.grad.empty()) part.grad = dx.grad.reshaped({rows, width}).slice(first, end);
      backward_chunk(tape, w, x2.slice(first, end), pre.slice(first, end), dy.slice(first, end),
                     key, first, part);
    }
  });
  return y;
}

}  // namespace cdt

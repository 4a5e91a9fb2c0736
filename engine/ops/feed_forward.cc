#include "engine/ops/feed_forward.h"

#include <algorithm>

#include "engine/product.h"

namespace cdt {
namespace {

void feed_forward_rule(Tape& tape, const FeedForward& f, Var x, Var y) {
  Backend& backend = tape.backend();
  const std::int64_t rows = f.x.rows();
  const Tensor dy = y->grad.reshaped(f.x.shape);
  const GradTarget dx = x->needs_grad ? tape.gradient(x) : GradTarget{};
  for (std::int64_t first = 0; first < rows; first += f.part) {
    const std::int64_t end = std::min(rows, first + f.part);
    const Tensor part = dy.slice(first, end);
    const Scratch dh(tape.scratch(), {end - first, f.pre.cols()}, dy.dtype);
    const Scratch h(tape.scratch(), (*dh).shape, dy.dtype);
    multiply(backend, part, weight_as(f.w.w2, dy.dtype), *dh);  // dh(r, F) = dy(r, D) w2
    GradTarget dx_part = dx;
    if (!dx.grad.empty()) dx_part.grad = dx.grad.reshaped(f.x.shape).slice(first, end);
    inner_backward(tape, f, first, *dh, dx_part, f.w.w2->needs_grad ? *h : Tensor{});
    if (f.w.w2->needs_grad) {  // dW2(D, F) += dy^T h
      multiply(backend, transposed(part), *h, f.w.w2->grad, {.beta = 1.0F});
    }
  }
  if (f.w.b2->needs_grad && !y->bias_summed) backend.column_sum(dy, f.w.b2->grad, true);
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
  const std::int64_t part_rows = tape.backend().feed_forward_rows(rows, width, inner);
  const FeedForward f{w, tape.next_dropout(p), x->value.reshaped({rows, width}), part_rows,
                      tape.saved({for_rule ? rows : part_rows, inner}, dtype)};
  for (std::int64_t first = 0; first < rows; first += f.part) {
    const std::int64_t end = std::min(rows, first + f.part);
    const Tensor part = for_rule ? f.pre.slice(first, end) : f.pre.slice(0, end - first);
    const Scratch h(tape.scratch(), {end - first, inner}, dtype);
    multiply(tape.backend(), f.x.slice(first, end), transposed(weight_as(w.w1, dtype)), part,
             {.bias = weight_as(w.b1, dtype)});
    tape.backend().gelu_dropout(part, f.key, first, *h);
    multiply(tape.backend(), *h, transposed(weight_as(w.w2, dtype)), y.slice(first, end),
             {.bias = weight_as(w.b2, dtype)});
  }
  return f;
}

void inner_backward(Tape& tape, const FeedForward& f, std::int64_t first, const Tensor& dh,
                    const GradTarget& dx, const Tensor& h) {
  Backend& backend = tape.backend();
  const std::int64_t end = first + dh.rows();
  backend.gelu_dropout_backward(f.pre.slice(first, end), dh, f.key, first, dh, h, f.w.b1->grad);
  if (f.w.w1->needs_grad) {  // dW1(F, D) += dpre^T x
    multiply(backend, transposed(dh), f.x.slice(first, end), f.w.w1->grad, {.beta = 1.0F});
  }
  if (!dx.grad.empty()) {
    multiply(backend, dh, weight_as(f.w.w1, dh.dtype), dx.grad, {.beta = dx.beta()});
  }
}

Var feed_forward(Tape& tape, Var x, const FeedForwardParameters& w, float p) {
  const OpScope op(tape, "feed_forward");
  const Var y =
      tape.output(x->value.shape, any_needs_grad({x, w.w1, w.b1, w.w2, w.b2}), x->value.dtype);
  const std::int64_t rows = x->value.rows();
  const FeedForward f =
      feed_forward_value(tape, x, w, p, y->needs_grad, y->value.reshaped({rows, x->value.cols()}));
  y->bias = w.b2;
  tape.record(y, {f.pre}, [&tape, x, y, f] { feed_forward_rule(tape, f, x, y); });
  return y;
}

}  // namespace cdt

#include "engine/ops/feed_forward.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "engine/product.h"

namespace cdt {
namespace {

// pre(r, F) = x w1^T + b1 for the r rows starting at `first`.
void expand(Tape& tape, const FeedForward& f, std::int64_t first, const Tensor& pre) {
  const Tensor x = f.x.slice(first, first + pre.rows());
  multiply(tape.backend(), x, transposed(weight_as(f.w.w1, x.dtype)), pre,
           {.bias = weight_as(f.w.b1, x.dtype)});
}

// The rule for the rows of dy. behind: anything before w2 (x, w1, b1) needs a gradient.
void part_rule(Tape& tape, const FeedForward& f, std::int64_t first, const Tensor& dy,
               const GradTarget& dx, bool behind) {
  Backend& backend = tape.backend();
  const Shape inner{dy.rows(), f.w.w1->value.shape[0]};
  std::optional<Scratch> dh, memory;
  if (behind) {  // dh(r, F) = dy(r, D) w2
    multiply(backend, dy, weight_as(f.w.w2, dy.dtype),
             *dh.emplace(tape.scratch(), inner, dy.dtype));
  }
  Tensor h;
  Tensor pre;
  if (f.pre.empty()) {
    h = pre = *memory.emplace(tape.scratch(), inner, dy.dtype);
    expand(tape, f, first, pre);
  } else {
    pre = f.pre.slice(first, first + dy.rows());
    if (f.w.w2->needs_grad) h = *memory.emplace(tape.scratch(), inner, dy.dtype);
  }
  if (behind) {
    inner_backward(tape, f, first, pre, **dh, dx, f.w.w2->needs_grad ? h : Tensor{});
  } else {
    backend.gelu_dropout(pre, f.key, first, h);
  }
  if (f.w.w2->needs_grad) {  // dW2(D, F) += dy^T h
    multiply(backend, transposed(dy), h, f.w.w2->grad, {.beta = 1.0F});
  }
}

void feed_forward_rule(Tape& tape, const FeedForward& f, Var x, Var y) {
  const std::int64_t rows = f.x.rows();
  const Tensor dy = y->grad.reshaped(f.x.shape);
  const GradTarget dx = x->needs_grad ? tape.gradient(x) : GradTarget{};
  const bool behind = any_needs_grad({x, f.w.w1, f.w.b1});
  const std::int64_t parts_end = behind || f.w.w2->needs_grad ? rows : 0;
  for (std::int64_t first = 0; first < parts_end; first += f.part) {
    const std::int64_t end = std::min(rows, first + f.part);
    GradTarget part = dx;
    if (!dx.grad.empty()) part.grad = dx.grad.reshaped(f.x.shape).slice(first, end);
    part_rule(tape, f, first, dy.slice(first, end), part, behind);
  }
  if (f.w.b2->needs_grad && !y->bias_summed) tape.backend().column_sum(dy, f.w.b2->grad, true);
}

}  // namespace

FeedForward feed_forward_value(Tape& tape, Var x, const FeedForwardParameters& w, float p,
                               bool keep, const Tensor& y) {
  const std::int64_t width = x->value.cols();
  const std::int64_t inner = w.w1->value.shape[0];
  const std::int64_t rows = x->value.rows();
  expect_shape("feed_forward", "w1", w.w1->value, {inner, width});
  expect_shape("feed_forward", "b1", w.b1->value, {inner});
  expect_shape("feed_forward", "w2", w.w2->value, {width, inner});
  expect_shape("feed_forward", "b2", w.b2->value, {width});
  const Dtype dtype = x->value.dtype;
  Backend& backend = tape.backend();
  const FeedForward f{w, tape.next_dropout(p, with_last(x->value.shape, inner)),
                      x->value.reshaped({rows, width}),
                      backend.feed_forward_rows(rows, width, inner),
                      keep ? tape.saved({rows, inner}, dtype) : Tensor{}};
  for (std::int64_t first = 0; first < rows; first += f.part) {
    const std::int64_t end = std::min(rows, first + f.part);
    const Scratch h(tape.scratch(), {end - first, inner}, dtype);
    const Tensor pre = keep ? f.pre.slice(first, end) : *h;
    expand(tape, f, first, pre);
    backend.gelu_dropout(pre, f.key, first, *h);
    multiply(backend, *h, transposed(weight_as(w.w2, dtype)), y.slice(first, end),
             {.bias = weight_as(w.b2, dtype)});
  }
  return f;
}

void inner_backward(Tape& tape, const FeedForward& f, std::int64_t first, const Tensor& pre,
                    const Tensor& dh, const GradTarget& dx, const Tensor& h) {
  Backend& backend = tape.backend();
  backend.gelu_dropout_backward(pre, dh, f.key, first, dh, h, f.w.b1->grad);
  if (f.w.w1->needs_grad) {  // dW1(F, D) += dpre^T x
    multiply(backend, transposed(dh), f.x.slice(first, first + dh.rows()), f.w.w1->grad,
             {.beta = 1.0F});
  }
  if (!dx.grad.empty()) {
    multiply(backend, dh, weight_as(f.w.w1, dh.dtype), dx.grad, {.beta = dx.beta()});
  }
}

Var feed_forward(Tape& tape, Var x, const FeedForwardParameters& w, float p) {
  const OpScope op(tape, "feed_forward", {x, w.w1, w.b1, w.w2, w.b2});
  const Var y =
      tape.output(x->value.shape, any_needs_grad({x, w.w1, w.b1, w.w2, w.b2}), x->value.dtype);
  // Attribution runs several backward passes, so it keeps the pre-activation.
  const bool keep =
      any_needs_grad({x, w.w1, w.b1, w.w2}) && !(tape.training() && tape.backend().recomputes());
  const FeedForward f = feed_forward_value(tape, x, w, p, keep,
                                           y->value.reshaped({x->value.rows(), x->value.cols()}));
  y->bias = w.b2;
  std::vector<Tensor> saved;
  if (keep) saved.push_back(f.pre);
  tape.record(y, saved, [&tape, x, y, f] { feed_forward_rule(tape, f, x, y); });
  return y;
}

}  // namespace cdt

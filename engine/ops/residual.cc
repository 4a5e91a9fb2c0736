#include "engine/ops.h"

namespace cdt {
namespace {

// The gradient of either term of a sum is dy; a term shared by the batch gets the sum over the
// batch.
void add_gradient(Tape& tape, Var term, const Tensor& dy) {
  if (!term->needs_grad) return;
  const GradTarget target = tape.gradient(term);
  tape.backend().dropout_backward(dy, kNoDropout, target.grad, target.accumulate);
}

void expect_terms(const char* op, const Tensor& x, const Tensor& a) {
  expect_batch(op, "x", x, a.shape[0]);
  expect_shape(op, "x", x, with_first(a.shape, x.shape[0]));
}

// x + a, where `memory` holds a.
Var sum_in(Tape& tape, const Tensor& memory, Var x, Var a) {
  const Var y = tape.output_in(memory, any_needs_grad({x, a}));
  tape.backend().residual_dropout(x->value, kNoDropout, y->value);
  tape.record(y, {}, [&tape, x, a, y] {
    add_gradient(tape, x, y->grad);
    add_gradient(tape, a, y->grad);
  });
  return y;
}

}  // namespace

Var residual(Tape& tape, Var x, Var a) {
  const OpScope op(tape, "residual", {x, a});
  expect_terms("residual", x->value, a->value);
  return sum_in(tape, tape.take_value(a), x, a);
}

Var add(Tape& tape, Var x, Var a) {
  const OpScope op(tape, "add", {x, a});
  expect_terms("add", x->value, a->value);
  const Tensor copy = tape.saved(a->value.shape, a->value.dtype);
  tape.backend().copy(copy, a->value);
  return sum_in(tape, copy, x, a);
}

Var add_norm(Tape& tape, Var x, Var a, Var gamma, Var beta, float p) {
  const OpScope op(tape, "add_norm", {x, a, gamma, beta});
  expect_terms("add_norm", x->value, a->value);
  const std::int64_t cols = a->value.cols();
  expect_shape("add_norm", "gamma", gamma->value, {cols});
  expect_shape("add_norm", "beta", beta->value, {cols});
  const DropoutKey key = tape.next_dropout(p, a->value.shape);
  const Var y = tape.output(a->value.shape, any_needs_grad({x, a, gamma, beta}), a->value.dtype);
  const Tensor sum = tape.take_value(a);
  const Tensor stats = tape.saved({sum.rows(), 2});
  tape.backend().residual_dropout_norm(x->value, key, sum, gamma->value, beta->value, y->value,
                                       stats);
  tape.record(y, {sum, stats}, [&tape, x, a, gamma, beta, y, sum, stats, key] {
    const GradTarget dx = x->needs_grad ? tape.gradient(x) : GradTarget{};
    const GradTarget da = a->needs_grad ? tape.gradient(a) : GradTarget{};
    tape.backend().add_norm_backward({.sum = sum,
                                      .gamma = gamma->value,
                                      .stats = stats,
                                      .dy = y->grad,
                                      .dropout = key,
                                      .dx = dx.grad,
                                      .add_dx = dx.accumulate,
                                      .da = da.grad,
                                      .add_da = da.accumulate,
                                      .dgamma = gamma->grad,
                                      .dbeta = beta->grad,
                                      .dbias = tape.bias_gradient(a, da)});
  });
  return y;
}

}  // namespace cdt

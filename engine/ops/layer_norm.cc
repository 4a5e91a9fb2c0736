#include "engine/ops.h"

namespace cdt {

Var layer_norm(Tape& tape, Var x, Var gamma, Var beta) {
  const OpScope op(tape, "layer_norm");
  const std::int64_t cols = x->value.cols();
  expect_shape("layer_norm", "gamma", gamma->value, {cols});
  expect_shape("layer_norm", "beta", beta->value, {cols});
  const Var y = tape.output(x->value.shape, any_needs_grad({x, gamma, beta}), x->value.dtype);
  const Tensor stats = tape.saved({x->value.rows(), 2});
  tape.backend().layer_norm(x->value, gamma->value, beta->value, y->value, stats);
  tape.record(y, {stats}, [&tape, x, gamma, beta, y, stats] {
    const GradTarget dx = x->needs_grad ? tape.gradient(x) : GradTarget{};
    // dy is not read again, so an accumulating dx is added from it.
    const Tensor target = dx.accumulate ? y->grad : dx.grad;
    tape.backend().layer_norm_backward(x->value, gamma->value, stats, y->grad, target, gamma->grad,
                                       beta->grad);
    if (dx.accumulate) tape.backend().add_to(dx.grad, y->grad);
  });
  return y;
}

}  // namespace cdt

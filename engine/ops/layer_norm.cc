#include "engine/ops.h"

namespace cdt {

Var layer_norm(Tape& tape, Var x, Var gamma, Var beta) {
  const OpScope op(tape, "layer_norm", {x, gamma, beta});
  const std::int64_t cols = x->value.cols();
  expect_shape("layer_norm", "gamma", gamma->value, {cols});
  expect_shape("layer_norm", "beta", beta->value, {cols});
  const Var y = tape.output(x->value.shape, any_needs_grad({x, gamma, beta}), x->value.dtype);
  const Tensor stats = tape.saved({x->value.rows(), 2});
  tape.backend().layer_norm(x->value, gamma->value, beta->value, y->value, stats);
  tape.record(y, {stats}, [&tape, x, gamma, beta, y, stats] {
    const auto write = [&](const Tensor& dx) {
      tape.backend().layer_norm_backward(x->value, gamma->value, stats, y->grad, dx, gamma->grad,
                                         beta->grad);
    };
    tape.write_gradient(x, write, /*spare=*/y->grad);
  });
  return y;
}

}  // namespace cdt

#include "engine/ops.h"
#include "engine/product.h"

namespace cdt {

Var linear(Tape& tape, Var x, Var weight, Var bias) {
  const OpScope op(tape, "linear", {x, weight, bias});
  const std::int64_t in = weight->value.shape[1];
  const std::int64_t out = weight->value.shape[0];
  expect_shape("linear", "x", x->value, with_last(x->value.shape, in));
  expect_shape("linear", "bias", bias->value, {out});
  const Dtype dtype = x->value.dtype;
  const Var y =
      tape.output(with_last(x->value.shape, out), any_needs_grad({x, weight, bias}), dtype);
  y->bias = bias;
  multiply(tape.backend(), x->value, transposed(weight_as(weight, dtype)), y->value,
           {.bias = weight_as(bias, dtype)});
  tape.record(y, {}, [&tape, x, weight, bias, y, dtype] {
    Backend& backend = tape.backend();
    const Tensor& dy = y->grad;
    if (weight->needs_grad) {  // dW(O, I) += dy(R, O)^T x(R, I)
      multiply(backend, transposed(dy), x->value, weight->grad, {.beta = 1.0F});
    }
    if (bias->needs_grad && !y->bias_summed) {
      backend.column_sum(dy.reshaped({dy.rows(), dy.cols()}), bias->grad, true);
    }
    if (x->needs_grad) {  // dx(R, I) = dy(R, O) W(O, I)
      const GradTarget dx = tape.gradient(x);
      multiply(backend, dy, weight_as(weight, dtype), dx.grad, {.beta = dx.beta()});
    }
  });
  return y;
}

}  // namespace cdt

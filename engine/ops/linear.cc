#include "engine/ops.h"

namespace cdt {
namespace {

void linear_rule(Tape& tape, Var x, Var weight, Var bias, const Tensor& dy) {
  Backend& backend = tape.backend();
  const std::int64_t in = weight->value.shape[1];
  const std::int64_t out = weight->value.shape[0];
  const std::int64_t rows = dy.rows();
  if (weight->needs_grad) {  // dW(O, I) += dy(R, O)^T x(R, I)
    backend.gemm({.trans_a = true,
                  .m = out,
                  .n = in,
                  .k = rows,
                  .a = dy,
                  .lda = out,
                  .b = x->value,
                  .ldb = in,
                  .beta = 1.0F,
                  .c = weight->grad.data,
                  .ldc = in});
  }
  if (bias->needs_grad) {
    backend.column_sum(dy.reshaped({rows, out}), bias->grad, true);
  }
  if (x->needs_grad) {  // dx(R, I) = dy(R, O) W(O, I)
    const GradTarget dx = tape.gradient(x);
    backend.gemm({.m = rows,
                  .n = in,
                  .k = out,
                  .a = dy,
                  .lda = out,
                  .b = weight_as(weight, dy.dtype),
                  .ldb = in,
                  .beta = dx.accumulate ? 1.0F : 0.0F,
                  .c = dx.grad,
                  .ldc = in});
  }
}

}  // namespace

Var linear(Tape& tape, Var x, Var weight, Var bias) {
  const OpScope op(tape, "linear");
  const std::int64_t in = weight->value.shape[1];
  const std::int64_t out = weight->value.shape[0];
  expect_shape("linear", "x", x->value, with_last(x->value.shape, in));
  expect_shape("linear", "bias", bias->value, {out});
  const Dtype dtype = x->value.dtype;
  const Var y =
      tape.output(with_last(x->value.shape, out), any_needs_grad({x, weight, bias}), dtype);
  const std::int64_t rows = x->value.rows();
  tape.backend().gemm({.trans_b = true,
                       .m = rows,
                       .n = out,
                       .k = in,
                       .a = x->value,
                       .lda = in,
                       .b = weight_as(weight, dtype),
                       .ldb = in,
                       .c = y->value,
                       .ldc = out,
                       .bias = weight_as(bias, dtype)});
  tape.record(y, {}, [&tape, x, weight, bias, y] { linear_rule(tape, x, weight, bias, y->grad); });
  return y;
}

}  // namespace cdt

#include "engine/error.h"
#include "engine/ops.h"

namespace cdt {

Var dropout(Tape& tape, Var x, float p, std::int64_t batch, MaskPer per) {
  const OpScope op(tape, "dropout", {x});
  expect_batch("dropout", "x", x->value, batch);
  CDT_CHECK(per == MaskPer::kSample || batch == 1, "dropout: one mask for several samples");
  const Shape shape = with_first(x->value.shape, batch);
  const DropoutKey key = tape.next_dropout(p, shape, per);
  if (key.p <= 0.0F) return x;
  const Var y = tape.output(shape, x->needs_grad, x->value.dtype);
  tape.backend().dropout(x->value, key, y->value);
  tape.record(y, {}, [&tape, x, y, key] {
    const GradTarget dx = tape.gradient(x);
    tape.backend().dropout_backward(y->grad, key, dx.grad, dx.accumulate);
  });
  return y;
}

Var gelu_dropout(Tape& tape, Var x, float p) {
  const OpScope op(tape, "gelu_dropout", {x});
  const DropoutKey key = tape.next_dropout(p, x->value.shape);
  const Var y = tape.output(x->value.shape, x->needs_grad, x->value.dtype);
  tape.backend().gelu_dropout(x->value, key, 0, y->value);
  tape.record(y, {}, [&tape, x, y, key] {
    const auto write = [&](const Tensor& dx) {
      tape.backend().gelu_dropout_backward(x->value, y->grad, key, 0, dx, {}, {});
    };
    tape.write_gradient(x, write, /*spare=*/y->grad);
  });
  return y;
}

}  // namespace cdt

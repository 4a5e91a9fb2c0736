#include "engine/error.h"
#include "engine/ops.h"

namespace cdt {

Var select(Tape& tape, Var x, const Tensor& index) {
  const OpScope op(tape, "select");
  const std::int64_t batch = x->value.shape[0];
  expect_shape("select", "index", index, {batch});
  CDT_CHECK(index.dtype == Dtype::kInt32, "select: an index is int32");
  const Var y = tape.output({batch}, x->needs_grad);
  tape.backend().select(x->value, index, y->value);
  tape.record(y, {}, [&tape, x, y, index] {
    const GradTarget dx = tape.gradient(x);
    if (!dx.accumulate) {
      tape.backend().select_backward(y->grad, index, dx.grad);
      return;
    }
    const Scratch part(tape.scratch(), dx.grad.shape);
    tape.backend().select_backward(y->grad, index, *part);
    tape.backend().add_to(dx.grad, *part);
  });
  return y;
}

Var huber(Tape& tape, Var prediction, const Tensor& target, float delta) {
  const OpScope op(tape, "huber");
  expect_shape("huber", "target", target, prediction->value.shape);
  CDT_CHECK(delta > 0.0F, "huber: delta must be positive");
  const Var y = tape.output({1}, prediction->needs_grad);
  tape.backend().huber(prediction->value, target, delta, y->value);
  tape.record(y, {}, [&tape, prediction, target, delta, y] {
    const GradTarget d = tape.gradient(prediction);
    if (!d.accumulate) {
      tape.backend().huber_backward(prediction->value, target, delta, y->grad, d.grad);
      return;
    }
    const Scratch part(tape.scratch(), d.grad.shape);
    tape.backend().huber_backward(prediction->value, target, delta, y->grad, *part);
    tape.backend().add_to(d.grad, *part);
  });
  return y;
}

}  // namespace cdt

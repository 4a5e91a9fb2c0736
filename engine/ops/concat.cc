#include "engine/ops.h"

namespace cdt {

Var reshape(Tape& tape, Var x, const Shape& shape) {
  const OpScope op(tape, "reshape", {x});
  const Var y = tape.output_in(tape.take_value(x).reshaped(shape), x->needs_grad);
  tape.record(y, {}, [&tape, x, y] {
    tape.write_gradient(
        x, [&](const Tensor& dx) { tape.backend().copy(dx, y->grad.reshaped(dx.shape)); });
  });
  return y;
}

Var concat(Tape& tape, const std::vector<Var>& parts, std::int64_t batch) {
  const OpScope op(tape, "concat", {parts.begin(), parts.end()});
  std::int64_t width = 0;
  bool needs_grad = false;
  for (const Var part : parts) {
    expect_batch("concat", "part", part->value, batch);
    width += part->value.cols();
    needs_grad = needs_grad || part->needs_grad;
  }
  const Var y = tape.output({batch, width}, needs_grad);
  std::int64_t first = 0;
  for (const Var part : parts) {
    tape.backend().put_columns(part->value, first, y->value);
    first += part->value.cols();
  }
  tape.record(y, {}, [&tape, parts, y] {
    std::int64_t first = 0;
    for (const Var part : parts) {
      if (part->needs_grad) {
        const GradTarget target = tape.gradient(part);
        tape.backend().take_columns(y->grad, first, target.grad, target.accumulate);
      }
      first += part->value.cols();
    }
  });
  return y;
}

}  // namespace cdt

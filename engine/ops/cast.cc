#include "engine/ops.h"

namespace cdt {

Var to_activations(Tape& tape, Var x) {
  const OpScope op(tape, "to_activations");
  const Dtype dtype = tape.backend().activations();
  if (x->value.dtype == dtype) return x;
  const Var y = tape.output(x->value.shape, x->needs_grad, dtype);
  tape.backend().cast(y->value, x->value);
  tape.record(y, {}, [&tape, x, y] {
    const GradTarget dx = tape.gradient(x);
    if (!dx.accumulate) {
      tape.backend().cast(dx.grad, y->grad);
      return;
    }
    const Scratch part(tape.scratch(), dx.grad.shape, dx.grad.dtype);
    tape.backend().cast(*part, y->grad);
    tape.backend().add_to(dx.grad, *part);
  });
  return y;
}

}  // namespace cdt

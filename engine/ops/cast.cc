#include "engine/ops.h"

namespace cdt {

Var to_activations(Tape& tape, Var x) {
  const OpScope op(tape, "to_activations", {x});
  const Dtype dtype = tape.backend().activations();
  if (x->value.dtype == dtype) return x;
  const Var y = tape.output(x->value.shape, x->needs_grad, dtype);
  tape.backend().cast(y->value, x->value);
  tape.record(y, {}, [&tape, x, y] {
    tape.write_gradient(x, [&](const Tensor& dx) { tape.backend().cast(dx, y->grad); });
  });
  return y;
}

}  // namespace cdt

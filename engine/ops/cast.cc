#include "engine/ops.h"

namespace cdt {
namespace {

Var converted(Tape& tape, Var x, Dtype dtype) {
  if (x->value.dtype == dtype) return x;
  const Var y = tape.output(x->value.shape, x->needs_grad, dtype);
  tape.backend().cast(y->value, x->value);
  tape.record(y, {}, [&tape, x, y] {
    tape.write_gradient(x, [&](const Tensor& dx) { tape.backend().cast(dx, y->grad); });
  });
  return y;
}

}  // namespace

Var to_activations(Tape& tape, Var x) {
  const OpScope op(tape, "to_activations", {x});
  return converted(tape, x, tape.backend().activations());
}

Var to_float32(Tape& tape, Var x) {
  const OpScope op(tape, "to_float32", {x});
  return converted(tape, x, Dtype::kFloat32);
}

}  // namespace cdt

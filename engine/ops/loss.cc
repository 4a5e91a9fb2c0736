#include <vector>

#include "engine/error.h"
#include "engine/ops.h"

namespace cdt {

Var select(Tape& tape, Var x, const Tensor& index) {
  const OpScope op(tape, "select", {x, index});
  const std::int64_t batch = x->value.shape[0];
  expect_shape("select", "index", index, {batch});
  CDT_CHECK(index.dtype == Dtype::kInt32, "select: an index is int32");
  const Var y = tape.output({batch}, x->needs_grad);
  tape.backend().select(x->value, index, y->value);
  tape.record(y, {}, [&tape, x, y, index] {
    tape.write_gradient(
        x, [&](const Tensor& dx) { tape.backend().select_backward(y->grad, index, dx); });
  });
  return y;
}

Var huber(Tape& tape, Var prediction, const Tensor& target, float delta, const Tensor& weight) {
  std::vector<OpInput> inputs = {prediction, target};
  if (!weight.empty()) inputs.emplace_back(weight);
  const OpScope op(tape, "huber", inputs);
  expect_shape("huber", "target", target, prediction->value.shape);
  if (!weight.empty()) expect_shape("huber", "weight", weight, prediction->value.shape);
  CDT_CHECK(delta > 0.0F, "huber: delta must be positive");
  const Var y = tape.output({1}, prediction->needs_grad);
  tape.backend().huber(prediction->value, target, weight, delta, y->value);
  tape.record(y, {}, [&tape, prediction, target, weight, delta, y] {
    tape.write_gradient(prediction, [&](const Tensor& d) {
      tape.backend().huber_backward(prediction->value, target, weight, delta, y->grad, d);
    });
  });
  return y;
}

}  // namespace cdt

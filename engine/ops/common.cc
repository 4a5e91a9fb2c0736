#include "engine/ops/common.h"

#include <algorithm>

#include "engine/error.h"

namespace cdt {

Shape with_last(const Shape& shape, std::int64_t last) {
  switch (shape.rank()) {
    case 1:
      return {last};
    case 2:
      return {shape[0], last};
    case 3:
      return {shape[0], shape[1], last};
    default:
      return {shape[0], shape[1], shape[2], last};
  }
}

Shape with_first(const Shape& shape, std::int64_t first) {
  switch (shape.rank()) {
    case 1:
      return {first};
    case 2:
      return {first, shape[1]};
    case 3:
      return {first, shape[1], shape[2]};
    default:
      return {first, shape[1], shape[2], shape[3]};
  }
}

bool any_needs_grad(std::initializer_list<Var> inputs) {
  return std::any_of(inputs.begin(), inputs.end(), [](Var v) { return v->needs_grad; });
}

Operand factor(Var parameter, Dtype dtype) {
  const bool rounded = dtype != parameter->value.dtype;
  CDT_CHECK(!rounded || !parameter->rounded.empty(), "a parameter without its rounded copy");
  return rounded ? parameter->rounded : parameter->value;
}

void expect_batch(const char* op, const char* name, const Tensor& t, std::int64_t batch) {
  const std::int64_t leading = t.shape[0];
  if (leading != 1 && leading != batch) {
    throw Error(std::string(op) + ": " + name + ": " +
                expected_got("leading dimension", "1 or " + std::to_string(batch),
                             std::to_string(leading)));
  }
}

}  // namespace cdt

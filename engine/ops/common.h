// Small helpers shared by the ops.
#pragma once

#include <initializer_list>

#include "engine/tape.h"

namespace cdt {

/// shape with its last dimension replaced.
Shape with_last(const Shape& shape, std::int64_t last);
/// shape with its first dimension replaced.
Shape with_first(const Shape& shape, std::int64_t first);
bool any_needs_grad(std::initializer_list<Var> inputs);
/// Throws Error unless the leading dimension is 1 or batch.
void expect_batch(const char* op, const char* name, const Tensor& t, std::int64_t batch);
/// The identity mask: nothing is dropped.
inline DropoutKey no_dropout() { return {}; }

/// A parameter as a factor of products with tensors of type dtype.
Operand factor(Var parameter, Dtype dtype);

/// The gradient rule of linear(): dW, db accumulate, dx by the accumulate rule. x_value is the
/// input as it was, which an op may have had to compute again.
void linear_backward(Tape& tape, Var x, const Tensor& x_value, Var weight, Var bias,
                     const Tensor& dy);

}  // namespace cdt

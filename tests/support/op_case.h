// One way to check an op: run it in the engine, in the precision under test, and as a float64
// formula, compare values, then compare its gradients with central differences of the formula.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/ops.h"
#include "tests/support/plain.h"

namespace cdt::test {

struct OpCase {
  std::string op;     // what a failure is called, and
  std::string label;  // which form of it
  std::vector<Shape> inputs;
  std::function<Var(Tape&, const std::vector<Var>&)> engine;
  std::function<Doubles(const std::vector<Doubles>&)> plain;
  bool training = false;
  // Gradients of all inputs hold ones before and must be added to; else those of values must be
  // written over NaN, and those of parameters, which start from zeros, added to.
  bool accumulate = false;
  std::size_t wanted = 99;      // this many inputs want a gradient, the rest is frozen
  std::size_t activations = 1;  // this many inputs are token-level, the rest parameters or pooled
  std::size_t values = 1;       // this many inputs are no parameters, activations among them
};

/// How far the value may be off, relative to its norm: 64 epsilon in float32. Gradients: 512.
double op_value_tolerance();

/// "" if values and all gradients agree, else what differs first.
std::string check_op(Backend& backend, const OpCase& c);

/// The dropout key of site `site` in cases run by check_op.
DropoutKey case_key(float p, std::uint32_t site = 0);

}  // namespace cdt::test

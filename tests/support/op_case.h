// Checks an op: runs it in the engine, in the precision under test, and as a float64 formula;
// compares the values, then its gradients with central differences of the formula.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/backend.h"
#include "engine/ops.h"
#include "tests/support/plain.h"

namespace cdt::test {

struct OpCase {
  std::string op;     // names the op in failures
  std::string label;  // which form of it
  std::vector<Shape> inputs;
  std::function<Var(Tape&, const std::vector<Var>&)> engine;
  std::function<Doubles(const std::vector<Doubles>&)> plain;
  bool training = false;
  // If set, gradients of all inputs start as ones and must be added to. Otherwise gradients of
  // values must be written over NaN, and those of parameters added to zeros.
  bool accumulate = false;
  std::size_t wanted = 99;      // the first N inputs need a gradient, the rest are frozen
  std::size_t activations = 1;  // the first N inputs are token-level, the rest parameters or pooled
  std::size_t values = 1;  // the first N inputs are values (or activations), the rest parameters
};

/// Allowed error of the value, relative to its norm: 64 epsilon in float32. Gradients: 512.
double op_value_tolerance();

/// "" if values and all gradients agree, otherwise the first difference. If the backend keeps a
/// profile, also checks that the op named all its inputs (engine/trace.h).
std::string check_op(Backend& backend, const OpCase& c);

/// The dropout key of site `site` in cases that check_op runs.
DropoutKey case_key(float p, std::uint32_t site = 0);

}  // namespace cdt::test

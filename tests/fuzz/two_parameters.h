// The parameters that the optimisers and states of the corpus belong to, for the targets and for
// the program that writes their first inputs.
#pragma once

#include <deque>
#include <vector>

#include "engine/arena.h"
#include "model/parameters.h"

namespace cdt::test {

/// w (2, 3) and b (2), with gradients, in `lasting`.
inline std::deque<Parameter> two_parameters(Arena& lasting) {
  std::deque<Parameter> out(2);
  out[0].name = "w";
  out[0].variable.value = lasting.tensor({2, 3});
  out[1].name = "b";
  out[1].variable.value = lasting.tensor({2});
  for (Parameter& parameter : out) {
    parameter.variable.grad = lasting.tensor(parameter.variable.value.shape);
    parameter.variable.lasting = parameter.variable.needs_grad = true;
  }
  return out;
}

inline std::vector<Var> variables_of(std::deque<Parameter>& parameters) {
  std::vector<Var> out;
  for (Parameter& parameter : parameters) out.push_back(&parameter.variable);
  return out;
}

}  // namespace cdt::test

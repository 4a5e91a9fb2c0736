// Is shown everything that a tape computes, right after it is computed (Tape::show()).
#pragma once

#include <string_view>

#include "engine/profiler.h"
#include "engine/tensor.h"

namespace cdt {

class ValueWatch {
 public:
  virtual ~ValueWatch() = default;
  /// tensor: the output of an op (kForward), or a gradient that the op's rule has written or added
  /// to (kBackward). op: its name as in profiles; module: that it belongs to, "" outside of the
  /// model. May throw, which ends the pass.
  virtual void computed(ProfilePass pass, const char* op, std::string_view module,
                        const Tensor& tensor) = 0;
};

}  // namespace cdt

// A value of a data set that is not finite: an error of its own, so that who only looks at the
// values can go on from it, and not from a failed read.
#pragma once

#include "engine/error.h"

namespace cdt {

class NotFiniteInput : public InputError {
 public:
  using InputError::InputError;
};

}  // namespace cdt

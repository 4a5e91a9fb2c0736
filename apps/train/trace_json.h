// The trace of a training step as JSON; docs/formats.md describes the keys.
#pragma once

#include <string>

#include "apps/train/step_trace.h"

namespace cdt {

std::string trace_json(const StepTrace& trace);

}  // namespace cdt

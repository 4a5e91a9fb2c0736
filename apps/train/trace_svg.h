// The trace of a training step as a figure of the architecture, an SVG that needs nothing beside
// it.
#pragma once

#include <string>

#include "apps/train/step_trace.h"

namespace cdt {

/// Boxes are modules, each with its name as id; arrows what enters them, with the shape.
std::string trace_svg(const StepTrace& trace);

}  // namespace cdt

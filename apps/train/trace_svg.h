// The trace of a training step as a self-contained SVG figure of the architecture.
#pragma once

#include <string>

#include "apps/train/step_trace.h"

namespace cdt {

/// Boxes are modules, with their names as ids; arrows are their inputs, with shapes. Throws
/// InputError for a model with extensions: their inputs fit into no column of the figure.
std::string trace_svg(const StepTrace& trace);

}  // namespace cdt

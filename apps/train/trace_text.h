// The trace of a training step as tables of text, at most 100 columns wide.
#pragma once

#include <string>

#include "apps/train/step_trace.h"

namespace cdt {

/// A line for each op under that of its module; then the rows of --profile, but for time.
std::string trace_text(const StepTrace& trace);

/// The dimensions with `sign` between them: "8x2360x768".
std::string dimensions(const Shape& shape, const std::string& sign);
/// Four digits and a unit: "1.234G", "88.08M", "512", "-" for none.
std::string short_number(double value);

}  // namespace cdt

// The trace of a training step as tables of text, at most 100 columns wide.
#pragma once

#include <cstdint>
#include <string>

#include "apps/train/step_trace.h"

namespace cdt {

/// One line per op below the line of its module; then the rows of a profile, without times.
std::string trace_text(const StepTrace& trace);

/// The dimensions separated by `sign`: "8x2360x768".
std::string dimensions(const Shape& shape, const std::string& sign);
/// Four digits and a unit: "1.234G", "88.08M", "512"; "-" for zero.
std::string short_number(double value);
/// "60,093,752"; from 100 million on as short_number().
std::string short_count(std::int64_t count);

}  // namespace cdt

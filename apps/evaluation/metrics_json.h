// Parts of metrics.json that others write too.
#pragma once

#include <nlohmann/json.hpp>

#include "apps/evaluation/controls.h"

namespace cdt {

/// [low, high], null where undefined.
nlohmann::ordered_json interval_json(const Interval& interval);
/// The content of "controls".
nlohmann::ordered_json controls_json(const Controls& controls);

}  // namespace cdt

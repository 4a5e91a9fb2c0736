// JSON out: keys in the order they were set, numbers in shortest round-trip form, two spaces of
// indent, short arrays of numbers on one line.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace cdt {

/// Ends with a newline. A number that is not finite becomes null.
std::string json_text(const nlohmann::ordered_json& value);

}  // namespace cdt

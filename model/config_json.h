// The configuration of a model as JSON: the value of "config" in a checkpoint's metadata, and part
// of a run's config.json.
#pragma once

#include <string>

#include "model/config.h"

namespace cdt {

/// One line of JSON.
std::string model_config_json(const CdtConfig& config);

/// The reverse. InputError(source, field) for a key that is missing, unknown or out of range.
CdtConfig parse_model_config(const std::string& text, const std::string& source);

/// InputError(source, field, "WHAT (expected X, got Y)") for the first size in which `got` is not
/// as expected.
void check_same_config(const CdtConfig& expected, const CdtConfig& got, const std::string& source,
                       const std::string& what);

}  // namespace cdt

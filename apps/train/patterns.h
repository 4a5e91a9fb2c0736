// Patterns that name parameters: --freeze and --init-from-except of cdt-train.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/parameters.h"

namespace cdt {

/// Whether the text matches the pattern: '*' matches any characters or none, '?' exactly one.
bool matches(std::string_view pattern, std::string_view text);

/// Names of the parameters that match a pattern, by their whole name or by the name of a module
/// they are part of, that is, the name up to one of its dots. Throws InputError naming `option` for
/// a pattern that matches none.
std::set<std::string> parameters_named(const std::string& option,
                                       const std::vector<std::string>& patterns,
                                       const CdtParameters& model);

/// Parameters named by --freeze. Throws InputError if they are all parameters of the model.
std::set<std::string> frozen_parameters(const std::vector<std::string>& patterns,
                                        const CdtParameters& model);

}  // namespace cdt

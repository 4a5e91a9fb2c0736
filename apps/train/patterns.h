// Patterns that name parameters: --freeze and --init-from-except of cdt-train.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "model/parameters.h"

namespace cdt {

/// Is the text what the pattern says, '*' for any characters or none, '?' for one?
bool matches(std::string_view pattern, std::string_view text);

/// Names of the parameters that the patterns name: each by its whole name, or by that of a part of
/// the model it belongs to, which is what stands before one of the dots. InputError naming `option`
/// for a pattern that names none.
std::set<std::string> parameters_named(const std::string& option,
                                       const std::vector<std::string>& patterns,
                                       const CdtParameters& model);

/// Those of --freeze. InputError if they are all that the model has.
std::set<std::string> frozen_parameters(const std::vector<std::string>& patterns,
                                        const CdtParameters& model);

}  // namespace cdt

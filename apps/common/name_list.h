// Options that take a list of names, "a,b,c" or "all".
#pragma once

#include <string>
#include <vector>

namespace cdt {

/// The known names that `list` names, in the order of `known`; "all" is all of them, an empty list
/// none. InputError naming the option for a name that is not known.
std::vector<std::string> names_of_list(const std::string& option, const std::string& list,
                                       const std::vector<std::string>& known);

}  // namespace cdt

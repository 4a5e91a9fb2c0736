// Suggestions for misspelt names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cdt {

/// The candidate with the fewest edits (insert, delete, replace, swap of neighbours) from `word`,
/// or "" if none is near enough to be meant: one edit, or a third of the word.
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

/// " (did you mean PREFIXname?)" with the nearest candidate, or "".
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       std::string_view prefix = "");

}  // namespace cdt

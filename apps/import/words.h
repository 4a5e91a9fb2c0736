// Names from files that become words of a data set's text files.
#pragma once

#include <string>

namespace cdt {

/// InputError(file, field, ...) unless `text` is not empty, has no spaces or control characters and
/// is of 200 bytes at most.
void require_word(const std::string& file, const std::string& field, const std::string& text);

}  // namespace cdt

// Names read from files that become words in a data set's text files.
#pragma once

#include <string>

namespace cdt {

/// Throws InputError(file, field, ...) unless `text` is a word: not empty, at most 200 bytes,
/// without spaces or control characters.
void require_word(const std::string& file, const std::string& field, const std::string& text);

}  // namespace cdt

// printf into a string, for tables on the terminal.
#pragma once

#include <string>

namespace cdt {

/// What printf would print, of any length.
__attribute__((format(printf, 1, 2))) std::string text(const char* format, ...);

}  // namespace cdt

// What the user should know although the work goes on.
#pragma once

#include <string>

namespace cdt {

/// "PROGRAM: warning: MESSAGE" as one line on stderr; the same message once.
void warn(const std::string& message);
/// "PROGRAM: note: MESSAGE" in the same way: what a program did or assumed unasked.
void note(const std::string& message);

}  // namespace cdt

// What every binary does around its own work: errors become one line and an exit code, and results
// that could not be written to standard output are not taken for written.
#pragma once

#include <functional>
#include <string_view>

namespace cdt {

/// Exit codes of all binaries.
constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;    // anything but the user's mistake
constexpr int kExitMistaken = 2;  // wrong usage or input

/// Runs body(argc, argv) and returns the exit code of the process. An InputError ends with exit
/// code 2, any other exception (out of memory, too) with 1; both as one line "NAME: ..." on stderr.
/// If body returns 0 but standard output could not be written (full disk, closed pipe), that is
/// reported and the code is 1.
int run_main(const char* name, int argc, char** argv, const std::function<int(int, char**)>& body);

/// Writes "NAME: MESSAGE" as one line to stderr, control characters escaped.
void report_error(std::string_view name, std::string_view message);

}  // namespace cdt

// command.json: what made the files beside it.
#pragma once

#include <string>

#include "apps/common/cli.h"

namespace cdt {

/// {"program", "command_line" (one line that a shell reads as the same words), "version", "data",
/// "model", "split" (those of them that the program has), "options" {all with their values}} as
/// JSON text. After cli.parse().
std::string command_record(const std::string& program, int argc, const char* const* argv,
                           const Cli& cli);

}  // namespace cdt

// command.json: what made the files beside it.
#pragma once

#include <string>
#include <string_view>

#include "apps/common/cli.h"

namespace cdt {

/// A word as a shell reads it back: one line of UTF-8, whatever the bytes of the word.
std::string shell_word(std::string_view word);

/// The program's name and its words, one line that a shell reads as the same.
std::string command_line(const std::string& program, int argc, const char* const* argv);

/// {"program", "command_line", "version", "data",
/// "model", "split" (those of them that the program has), "options" {all with their values}} as
/// JSON text. After cli.parse().
std::string command_record(const std::string& program, int argc, const char* const* argv,
                           const Cli& cli);

}  // namespace cdt

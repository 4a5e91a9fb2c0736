// What every program does around its own work: errors become one line and an exit code, signals are
// polled between steps, --version and command.json say what ran.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace cdt {

class Cli;

/// Exit codes of all binaries.
constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;    // anything but the user's mistake
constexpr int kExitMistaken = 2;  // wrong usage or input

/// Runs body(argc, argv) and returns the exit code of the process. An InputError ends with exit
/// code 2, any other exception (out of memory, too) with 1; both as one line "NAME: ..." on stderr.
/// If body returns 0 but standard output could not be written (full disk, closed pipe), that is
/// reported and the code is 1.
int run_main(const char* name, int argc, char** argv, const std::function<int(int, char**)>& body);

/// From this call on the first SIGINT, SIGTERM or SIGHUP only sets a flag, and so do all within a
/// second of it: a terminal, `timeout` and a batch system send several at once. A later one writes
/// the line "NAME: stopped at once: LOST" to stderr and ends the process by that signal. Signals
/// that were ignored stay ignored (nohup). Readers of large files poll the flag themselves
/// (engine/poll.h). Call it from the main thread; the texts are copied.
void catch_interrupts(const char* name, const char* lost = "unfinished files may remain");

/// Has a signal arrived?
bool interrupted();

/// For programs that keep nothing of an unfinished run: Error "interrupted; nothing is kept" if a
/// signal has arrived, so that what was begun is removed on the way out.
void stop_if_interrupted();

/// "0.1.0", or "0.1.0 (git 0123456789ab)" when built from a git checkout.
std::string version();

/// What --version prints: "cdt-train 0.1.0 (git ...)\ndevices: cpu\n"
std::string version_text(std::string_view program);

/// A word as a shell reads it back: one line of UTF-8, whatever the bytes of the word.
std::string shell_word(std::string_view word);

/// The program's name and its words as one line for a shell.
std::string command_line(const std::string& program, int argc, const char* const* argv);

/// The content of command.json, after cli.parse(): {"program", "command_line", "version", "data",
/// "model", "split" (as far as the program has them), "options" {all with their values}}.
std::string command_record(const std::string& program, int argc, const char* const* argv,
                           const Cli& cli);

}  // namespace cdt

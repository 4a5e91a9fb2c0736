// What every program does around its own work: turn errors into one line and an exit code, poll
// signals between steps, and say which build ran.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace cdt {

/// Exit codes of all programs.
constexpr int kExitDone = 0;
constexpr int kExitFailed = 1;    // any failure but a mistake of the user
constexpr int kExitMistaken = 2;  // wrong usage or wrong input

/// Runs body(argc, argv) and returns the exit code of the process. An InputError gives exit code 2,
/// any other exception (including out of memory) 1; both print one line "NAME: ..." on stderr. If
/// body returns 0 but standard output could not be written (full disk, closed pipe), that is
/// reported and the code is 1.
int run_main(const char* name, int argc, char** argv, const std::function<int(int, char**)>& body);

/// From this call on, the first SIGINT, SIGTERM, SIGHUP or SIGXCPU only sets a flag, and so do
/// further ones within a second of it, since a terminal, `timeout` or a batch system may send
/// several at once. A later signal prints the line "NAME: stopped at once: LOST" to stderr and ends
/// the process, except SIGXCPU, which the system repeats every second until the hard limit. Signals
/// that were ignored stay ignored (nohup). Readers of large files poll the flag themselves
/// (engine/poll.h). Call from the main thread; the texts are copied.
void catch_interrupts(const char* name, const char* lost = "unfinished files may remain");

/// Whether a signal has arrived.
bool interrupted();

/// From this call on, SIGUSR1 asks the program to save its state and go on. Call after
/// catch_interrupts().
void catch_save_requests();
/// Whether SIGUSR1 has arrived since save_request_met() was called.
bool save_requested();
void save_request_met();

/// For programs that keep nothing of an unfinished run: throws Error "interrupted; nothing is kept"
/// if a signal has arrived, so that unfinished output is removed on the way out.
void stop_if_interrupted();

/// For programs that keep what they have finished: stop_if_interrupted() says so, and `how` to go
/// on from there.
void keep_when_interrupted(const char* how);

/// "1.2.3 (git 0123456789ab)", or "1.2.3 (commit unknown)" when built neither from a git checkout
/// nor from an archive of `make dist`.
std::string version();

/// The build of this program.
struct Build {
  std::string version;    // "1.2.3"
  std::string git;        // hash of the commit, or "" if it is unknown
  bool changed = false;   // built from a checkout with changes that are in no commit
  std::string compiler;   // "g++ 12.2.0"
  std::string flags;      // those that affect numbers, as given to the compiler
  std::string built_for;  // level of x86-64 that the compiler was allowed to use, or ""
};
Build build();

/// Output of --version: "cdt-train 1.2.3 (git ...)\ndevices: cpu\n".
std::string version_text(std::string_view program);

/// Quotes a word so that a shell reads it back, as one line of UTF-8 whatever the bytes of the
/// word.
std::string shell_word(std::string_view word);

/// The program's name and its arguments as one line for a shell.
std::string command_line(const std::string& program, int argc, const char* const* argv);

}  // namespace cdt

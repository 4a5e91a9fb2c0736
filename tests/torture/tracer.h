// Runs a program, and with a tracer sees each of its calls that touches files, those of all
// threads, child processes and libraries included (ptrace, with a seccomp filter so that other
// calls run at full speed), and may fail, shorten or follow it, or kill the program there. x86-64
// only.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tests/torture/call.h"

namespace cdt::test {

struct Command {
  std::vector<std::string> words;
  std::filesystem::path out;  // files that get standard output and standard error
  std::filesystem::path err;
  std::vector<std::pair<std::string, std::string>> environment{};  // added to that of this process
};

struct Ended {
  int code = 0;       // exit status; 128 plus the signal that ended it
  bool hung = false;  // ended by us because it ran for minutes
  std::string out, err;
};

enum class What : std::uint8_t {
  kPass,
  kFail,       // the call is not made (close is) and returns an error
  kShort,      // reads or writes half of its bytes
  kKill,       // SIGKILL before the call,
  kKillAfter,  // or after it
};

struct Action {
  What what = What::kPass;
  int error = 0;
};

struct Tracer {
  /// Called before each call, while the thread is stopped.
  std::function<Action(const Call&)> enter;
  /// If set, called after each call that was made, with its result (negative: minus errno).
  std::function<void(const Call&, std::int64_t)> leave{};
};

Ended run(const Command& command);
Ended run(const Command& command, const Tracer& tracer);

/// Starts the command and returns its process.
pid_t start(const Command& command);
/// Waits for a process of start(); reads what it wrote.
Ended wait_for(pid_t process, const Command& command);

/// Why programs cannot be traced here; empty if they can.
std::string why_not_traced(const std::filesystem::path& folder);

}  // namespace cdt::test

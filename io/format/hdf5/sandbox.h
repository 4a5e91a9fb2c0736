// Runs work on untrusted files in a child process. libhdf5 crashes, loops or asks for absurd
// amounts of memory on some damaged files; the child has limits on memory and on the processor time
// of each step, cannot gain privileges and leaves no core file, and its death becomes one
// InputError of the parent.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace cdt {

struct SandboxLimits {
  /// What the child may allocate beyond what the process holds when it is forked.
  std::int64_t memory_bytes = std::int64_t{3} << 30;
  /// Processor time of one step.
  int step_seconds = 20;
};

/// Forks; the child calls `work`, which reports its own errors, and exits with the code it returns.
/// The parent waits and returns that code. If the child dies of a crash or of a limit: InputError
/// naming the file of the last sandbox_step. If it is told to end (SIGINT, SIGTERM and SIGHUP of
/// the parent are passed on): Error. Not for use from two threads.
int run_sandboxed(const std::function<int()>& work, const SandboxLimits& limits = {});

/// In the child: one more step, on this file, begins; it may take `allowance` times step_seconds.
/// Elsewhere: nothing.
void sandbox_step(const std::filesystem::path& file, int allowance = 1);

}  // namespace cdt

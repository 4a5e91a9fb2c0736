// Runs work on untrusted files in a child process. libhdf5 crashes, loops or asks for absurd
// amounts of memory on some damaged files. The child has limits on memory and on the processor time
// of each step, cannot gain privileges and leaves no core file; if it dies, the parent throws one
// InputError.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace cdt {

struct SandboxLimits {
  /// Memory the child may allocate beyond what the process holds at the fork.
  std::int64_t memory_bytes = std::int64_t{3} << 30;
  /// Processor time limit of one step.
  int step_seconds = 20;
};

/// Forks. The child calls `work`, which reports its own errors, and exits with the code that it
/// returns; the parent waits and returns that code. Throws InputError naming the file of the last
/// sandbox_step if the child crashed or hit a limit, and Error if it was told to end (SIGINT,
/// SIGTERM and SIGHUP of the parent are passed on). Not safe to call from two threads.
int run_sandboxed(const std::function<int()>& work, const SandboxLimits& limits = {});

/// In the child: starts a new step, on this file, which may take `allowance` times step_seconds.
/// Does nothing elsewhere.
void sandbox_step(const std::filesystem::path& file, int allowance = 1);

}  // namespace cdt

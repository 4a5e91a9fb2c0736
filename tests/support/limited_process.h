// Runs work in a child process whose memory is limited.
#pragma once

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <functional>
#include <stdexcept>

namespace cdt::test {

/// The exit code that work() returns in a child that may allocate `bytes` more than it holds;
/// throws if the child ends in another way.
inline int run_with_memory(std::int64_t bytes, const std::function<int()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    std::int64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    const auto most = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE) + bytes);
    const rlimit limit = {most, most};
    setrlimit(RLIMIT_AS, &limit);
    _exit(work());
  }
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) {
    throw std::runtime_error("the child did not exit");
  }
  return WEXITSTATUS(status);
}

}  // namespace cdt::test

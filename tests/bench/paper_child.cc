#include "tests/bench/paper_child.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "apps/common/program.h"
#include "engine/error.h"

namespace cdt {
namespace {

constexpr const char* kProgram = "paper_bench";

}  // namespace

double run_in_child(const char* name, const std::function<void()>& work, void* result,
                    std::size_t bytes) {
  int ends[2];
  if (pipe(ends) != 0) throw Error("pipe failed");
  std::cout.flush();  // otherwise the child prints it too
  const pid_t child = fork();
  if (child < 0) throw Error("fork failed");
  const auto whole = static_cast<ssize_t>(bytes);
  if (child == 0) {
    _exit(run_main(kProgram, 0, nullptr, [&](int /*argc*/, char** /*argv*/) {
      work();
      return write(ends[1], result, bytes) == whole ? 0 : 1;
    }));
  }
  close(ends[1]);
  const bool received = read(ends[0], result, bytes) == whole;
  close(ends[0]);
  int status = 0;
  rusage usage{};
  if (wait4(child, &status, 0, &usage) != child || WIFSIGNALED(status)) {
    throw Error(std::string(name) + " was killed");
  }
  if (status != 0) std::exit(WEXITSTATUS(status));
  if (!received) throw Error(std::string(name) + " sent no result");
  return static_cast<double>(usage.ru_maxrss) * 1024.0;
}

}  // namespace cdt

#include "io/format/hdf5/sandbox.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>

#include "engine/error.h"
#include "engine/poll.h"

namespace cdt {
namespace {

constexpr std::size_t kNameBytes = 4096;

// Set in the child only: memory in which the parent finds the name of the file being read, and the
// time limit.
char* shared_name = nullptr;
int step_seconds = 0;

volatile std::sig_atomic_t child_of_handler = 0;

extern "C" void pass_signal_on(int signal) {
  if (child_of_handler > 0) kill(child_of_handler, signal);
}

/// One page of memory shared by parent and child.
class SharedName {
 public:
  SharedName()
      : data_(static_cast<char*>(
            mmap(nullptr, kNameBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))) {
    if (data_ == MAP_FAILED) throw Error("cannot map a page for the import process");
  }
  ~SharedName() { munmap(data_, kNameBytes); }
  SharedName(const SharedName&) = delete;
  SharedName& operator=(const SharedName&) = delete;

  char* data() { return data_; }
  std::string text() const { return {data_, strnlen(data_, kNameBytes)}; }

 private:
  char* data_;
};

/// Blocks signals that would end the process until release().
class SignalHold {
 public:
  SignalHold() {
    sigset_t set = {};
    sigemptyset(&set);
    for (const int signal : kEndSignals) sigaddset(&set, signal);
    sigprocmask(SIG_BLOCK, &set, &before_);
  }
  ~SignalHold() { release(); }
  SignalHold(const SignalHold&) = delete;
  SignalHold& operator=(const SignalHold&) = delete;
  void release() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_ = {};
};

/// While it lives, signals that would end the parent are passed on to the child, so that the parent
/// outlives it. Signals that the parent ignores (nohup) stay ignored.
class SignalRelay {
 public:
  explicit SignalRelay(pid_t child) {
    child_of_handler = child;
    struct sigaction action = {};
    action.sa_handler = pass_signal_on;
    sigemptyset(&action.sa_mask);
    for (std::size_t i = 0; i < kEndSignals.size(); ++i) {
      sigaction(kEndSignals[i], nullptr, &before_[i]);
      if (before_[i].sa_handler != SIG_IGN) sigaction(kEndSignals[i], &action, nullptr);
    }
  }
  ~SignalRelay() {
    for (std::size_t i = 0; i < kEndSignals.size(); ++i) {
      sigaction(kEndSignals[i], &before_[i], nullptr);
    }
    child_of_handler = 0;
  }
  SignalRelay(const SignalRelay&) = delete;
  SignalRelay& operator=(const SignalRelay&) = delete;

 private:
  std::array<struct sigaction, kEndSignals.size()> before_ = {};
};

/// Bytes of address space in use.
std::int64_t address_space() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t pages = 0;
  statm >> pages;
  return pages * sysconf(_SC_PAGESIZE);
}

void limit(decltype(RLIMIT_AS) resource, std::int64_t value) {
  const auto wanted = static_cast<rlim_t>(value);
  rlimit now = {};
  getrlimit(resource, &now);
  now.rlim_cur = std::min(now.rlim_cur, wanted);
  now.rlim_max = std::min(now.rlim_max, wanted);
  setrlimit(resource, &now);
}

void enter_sandbox(pid_t parent, const SandboxLimits& limits, char* name) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_AS, address_space() + limits.memory_bytes);
  std::signal(SIGXFSZ, SIG_IGN);  // so that a file-size limit shows as a failed write
  std::signal(SIGPROF, SIG_DFL);
  for (const int signal :
       kEndSignals) {  // the parent may have handlers; ignored signals stay ignored
    if (std::signal(signal, SIG_DFL) == SIG_IGN) std::signal(signal, SIG_IGN);
  }
  step_seconds = limits.step_seconds;
  shared_name = name;
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) throw Error("cannot wait for the import process");
  }
  return status;
}

[[noreturn]] void report_death(int signal, const std::string& file) {
  if (signal == SIGPROF) {
    throw InputError(file, "HDF5", "damaged or hostile file (reading it comes to no end)");
  }
  for (const int crash : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGSYS, SIGTRAP}) {
    if (signal == crash) {
      throw InputError(file, "HDF5", "damaged or hostile file (the HDF5 library crashed on it)");
    }
  }
  throw Error(std::string("stopped by signal ") + std::to_string(signal) + " (" +
              strsignal(signal) + ")");
}

}  // namespace

void sandbox_step(const std::filesystem::path& file, int allowance) {
  if (shared_name == nullptr) return;
  const std::string name = file.string().substr(0, kNameBytes - 1);
  std::memcpy(shared_name, name.c_str(), name.size() + 1);
  itimerval timer = {};
  timer.it_value.tv_sec = std::int64_t{step_seconds} * allowance;
  setitimer(ITIMER_PROF, &timer, nullptr);
}

int run_sandboxed(const std::function<int()>& work, const SandboxLimits& limits) {
  SharedName name;
  std::cout.flush();
  std::fflush(nullptr);  // otherwise both processes would write what is still buffered
  const pid_t parent = getpid();
  SignalHold hold;
  const pid_t child = fork();
  if (child < 0) throw Error("cannot start the import process");
  if (child == 0) {
    enter_sandbox(parent, limits, name.data());
    hold.release();
    const int code = work();
    std::cout.flush();
    std::fflush(nullptr);
    _exit(code);
  }
  int status = 0;
  {
    const SignalRelay relay(child);
    hold.release();
    status = wait_for(child);
  }
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  report_death(WTERMSIG(status), name.text());
}

}  // namespace cdt

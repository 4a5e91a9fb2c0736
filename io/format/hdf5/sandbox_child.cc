#include "io/format/hdf5/sandbox_child.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <exception>
#include <fstream>
#include <limits>

#include "engine/poll.h"

namespace cdt {
namespace {

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

/// Closes descriptors first to last, both included.
void close_between(int first, int last) {
  if (first > last) return;
  if (close_range(static_cast<unsigned>(first), static_cast<unsigned>(last), 0) == 0) return;
  rlimit open_files = {};  // Linux before 5.9
  getrlimit(RLIMIT_NOFILE, &open_files);
  const auto end = static_cast<int>(std::min<rlim_t>(open_files.rlim_cur, 1 << 20));
  for (int fd = first; fd <= std::min(last, end); ++fd) close(fd);
}

void close_all_but(std::array<int, 3> kept) {
  std::sort(kept.begin(), kept.end());
  int first = 0;
  for (const int fd : kept) {
    close_between(first, fd - 1);
    first = fd + 1;
  }
  close_between(first, std::numeric_limits<int>::max());
}

/// The parent may have handlers, and ends the child itself when a terminal sends it a signal.
void reset_signals() {
  for (const int signal : {SIGPIPE, SIGXFSZ, SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP}) {
    std::signal(signal, SIG_DFL);
  }
  for (const int signal : kEndSignals) std::signal(signal, SIG_IGN);
  sigset_t none = {};
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void run_sandboxed(pid_t parent, const SandboxEnds& ends, const SandboxLimits& limits,
                   const std::function<void()>& prepare,
                   const std::function<void(const SandboxEnds&)>& work) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  try {
    reset_signals();
    close_all_but({ends.file, ends.requests, ends.answers});
    prepare();
    limit(RLIMIT_AS, address_space() + limits.memory_bytes);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, 0);
    limit(RLIMIT_NPROC, 0);
    limit(RLIMIT_NOFILE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    const FilterReport report(install_syscall_filter(ends));
    write_answer(ends.answers, &report, sizeof(report));
    work(ends);
  } catch (const std::exception&) {
    _exit(1);
  }
  _exit(0);
}

void read_request(int requests, void* out, std::size_t size) {
  auto* to = static_cast<char*>(out);
  while (size > 0) {
    const ssize_t n = read(requests, to, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) _exit(0);
    to += n;
    size -= static_cast<std::size_t>(n);
  }
}

void write_answer(int answers, const void* data, std::size_t size) {
  const auto* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = write(answers, from, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) _exit(1);
    from += n;
    size -= static_cast<std::size_t>(n);
  }
}

}  // namespace cdt

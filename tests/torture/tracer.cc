#include "tests/torture/tracer.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <map>
#include <stdexcept>
#include <system_error>

#include "tests/torture/tree.h"

namespace cdt::test {
namespace {

constexpr unsigned kPatience = 300;  // seconds after which a program counts as hung
constexpr int kSignalled = 128;
constexpr int kNotStarted = 127;

[[noreturn]] void fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

/// An alarm that interrupts waitpid(). One within another's life puts that one off.
class Alarm {
 public:
  Alarm() {
    struct sigaction action {};
    action.sa_handler = [](int) {};  // no SA_RESTART
    sigaction(SIGALRM, &action, nullptr);
    before_ = alarm(kPatience);
  }
  ~Alarm() { alarm(before_); }
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

 private:
  unsigned before_;
};

/// The filter: calls of file_calls() stop for the tracer, except mmap without a file.
std::vector<sock_filter> filter() {
  const auto calls = file_calls();
  std::vector<sock_filter> out{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const long number : calls) {
    if (number == SYS_mmap) continue;
    out.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(number), 0, 1));
    out.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE));
  }
  constexpr unsigned kDescriptor = offsetof(seccomp_data, args) + 4 * sizeof(std::uint64_t);
  out.insert(out.end(), {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 3),
                         BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kDescriptor),
                         BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ~0U, 1, 0),
                         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
                         BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)});
  return out;
}

/// In the child: becomes the command. With `traced`, stops first until the tracer is ready.
[[noreturn]] void become(const Command& command, bool traced) {
  std::vector<char*> words;
  for (const std::string& word : command.words) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const int in = open("/dev/null", O_RDONLY);
  const int out = open(command.out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
  const int err = open(command.err.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);
  if (in < 0 || out < 0 || err < 0) _exit(kNotStarted);
  dup2(in, STDIN_FILENO);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  for (const int file : {in, out, err}) close(file);
  for (const auto& [name, value] : command.environment) setenv(name.c_str(), value.c_str(), 1);
  if (traced) {
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);  // the leak checker is a tracer itself
    static std::vector<sock_filter> code = filter();
    sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(kNotStarted);
    raise(SIGSTOP);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
      _exit(kNotStarted);
    }
  }
  execv(words[0], words.data());
  _exit(kNotStarted);
}

int code_of(int status) {
  return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
}

/// Halves the number of bytes of a call; a write or read of one byte stays as it is.
void shorten(const Call& call, user_regs_struct* registers) {
  const auto halve = [](unsigned long long* count) {
    if (*count > 1) *count /= 2;
  };
  if (call.number == SYS_sendfile) return halve(&registers->r10);
  if (call.number == SYS_copy_file_range) return halve(&registers->r8);
  if (call.number != SYS_writev && call.number != SYS_readv) return halve(&registers->rdx);
  if (registers->rdx > 1) return halve(&registers->rdx);
  iovec buffer{};
  iovec to{&buffer, sizeof(buffer)};
  iovec from{reinterpret_cast<void*>(registers->rsi),  // NOLINT(performance-no-int-to-ptr)
             sizeof(buffer)};
  if (process_vm_readv(call.thread, &to, 1, &from, 1, 0) != sizeof(buffer)) return;
  registers->orig_rax = call.number == SYS_writev ? SYS_write : SYS_read;
  registers->rsi = reinterpret_cast<unsigned long long>(buffer.iov_base);
  registers->rdx = buffer.iov_len;
  halve(&registers->rdx);
}

class Session {
 public:
  Session(pid_t process, const Tracer& tracer) : process_(process), tracer_(tracer) {}

  /// Runs the traced process and its children to their end; returns its exit code.
  int follow(bool* hung) {
    const Alarm alarm;
    while (true) {
      int status = 0;
      const pid_t thread = waitpid(-1, &status, __WALL);
      if (thread < 0 && errno == EINTR) {
        *hung = true;
        kill(process_, SIGKILL);
      } else if (thread < 0) {
        return code_;
      } else if (WIFSTOPPED(status)) {
        stopped(thread, status);
      } else if (thread == process_) {
        code_ = code_of(status);
      }
    }
  }

 private:
  struct Pending {
    Call call;
    Action action;
  };

  void stopped(pid_t thread, int status) {
    const int signal = WSTOPSIG(status);
    if (status >> 8 == (SIGTRAP | (PTRACE_EVENT_SECCOMP << 8))) return entered(thread);
    if (signal == (SIGTRAP | 0x80)) return left(thread);
    const bool event = status >> 16 != 0;
    const bool passed_on = !event && signal != SIGSTOP && signal != SIGTRAP;
    ptrace(PTRACE_CONT, thread, nullptr, passed_on ? signal : 0);
  }

  void entered(pid_t thread) {
    user_regs_struct registers{};
    if (ptrace(PTRACE_GETREGS, thread, nullptr, &registers) != 0) return;  // it was killed
    const Call call = describe(
        thread, static_cast<long>(registers.orig_rax),
        {registers.rdi, registers.rsi, registers.rdx, registers.r10, registers.r8, registers.r9});
    const Action action = call.listed ? tracer_.enter(call) : Action{};
    bool stop_after = static_cast<bool>(tracer_.leave);
    if (action.what == What::kKill) {
      kill(process_, SIGKILL);
    } else if (action.what == What::kShort) {
      shorten(call, &registers);
      ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
    } else if (action.what == What::kFail && call.kind != Kind::kClose) {
      registers.orig_rax = ~0ULL;  // no such call
      registers.rax = static_cast<unsigned long long>(-action.error);
      ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
      stop_after = false;
    } else if (action.what != What::kPass) {
      stop_after = true;
    }
    if (stop_after) pending_[thread] = {call, action};
    ptrace(stop_after ? PTRACE_SYSCALL : PTRACE_CONT, thread, nullptr, nullptr);
  }

  void left(pid_t thread) {
    const auto found = pending_.find(thread);
    user_regs_struct registers{};
    if (found != pending_.end() && ptrace(PTRACE_GETREGS, thread, nullptr, &registers) == 0) {
      const auto [call, action] = found->second;
      pending_.erase(found);
      if (tracer_.leave) tracer_.leave(call, static_cast<std::int64_t>(registers.rax));
      if (action.what == What::kKillAfter) kill(process_, SIGKILL);
      if (action.what == What::kFail) {
        registers.rax = static_cast<unsigned long long>(-action.error);
        ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
      }
    }
    ptrace(PTRACE_CONT, thread, nullptr, nullptr);
  }

  pid_t process_;
  const Tracer& tracer_;
  std::map<pid_t, Pending> pending_;
  int code_ = -1;
};

pid_t fork_command(const Command& command, bool traced) {
  const pid_t process = fork();
  if (process < 0) fail("fork");
  if (process == 0) become(command, traced);
  return process;
}

Ended ended(const Command& command) {
  Ended out;
  out.out = bytes_of(command.out);
  out.err = bytes_of(command.err);
  return out;
}

}  // namespace

pid_t start(const Command& command) { return fork_command(command, false); }

Ended wait_for(pid_t process, const Command& command) {
  const Alarm alarm;
  bool hung = false;
  int status = 0;
  while (waitpid(process, &status, 0) < 0) {
    if (errno != EINTR) fail("waitpid");
    hung = true;
    kill(process, SIGKILL);
  }
  Ended out = ended(command);
  out.code = code_of(status);
  out.hung = hung;
  return out;
}

Ended run(const Command& command) { return wait_for(start(command), command); }

Ended run(const Command& command, const Tracer& tracer) {
  const pid_t process = fork_command(command, true);
  int status = 0;
  if (waitpid(process, &status, __WALL) < 0) fail("waitpid");
  bool hung = false;
  int code = kNotStarted;
  if (WIFSTOPPED(status)) {
    constexpr unsigned long kOptions =
        PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
        PTRACE_O_TRACEEXEC | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD;
    if (ptrace(PTRACE_SETOPTIONS, process, nullptr, kOptions) != 0) fail("ptrace");
    ptrace(PTRACE_CONT, process, nullptr, nullptr);
    code = Session(process, tracer).follow(&hung);
  }
  Ended out = ended(command);
  out.code = code;
  out.hung = hung;
  return out;
}

std::string why_not_traced(const std::filesystem::path& folder) {
  std::int64_t seen = 0;
  const Command command{.words = {"/bin/cat", "/proc/version"},
                        .out = folder / "probe.out",
                        .err = folder / "probe.err"};
  const Tracer tracer{.enter = [&](const Call& call) {
    if (call.path == "/proc/version") ++seen;
    return Action{};
  }};
  if (run(command, tracer).code == 0 && seen > 0) return "";
  return "ptrace or seccomp is not permitted here";
}

}  // namespace cdt::test

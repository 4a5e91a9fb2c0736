// What code that took over the process which reads HDF5 could try. Each attempt is a system call as
// the kernel sees it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/support/sandbox_work.h"

namespace cdt {
namespace {

using Ending = SandboxError::Ending;

/// Returns what the kernel returned: negative if it refused.
using Attempt = std::function<long(const SandboxEnds&)>;

struct NamedAttempt {
  const char* name;
  Attempt attempt;
};

class ImportEscape : public testing::Test {
 protected:
  void SetUp() override {
    const InputFile file(work.path);
    const SandboxedProcess child(
        file, [] {}, [](const SandboxEnds&) {});
    const std::string reason = child.without_filter();
    if (!reason.empty()) GTEST_SKIP() << "no system call filter: " << reason;
  }
  /// 'y' as the answer of an attempt that succeeded, 'n' of one that was refused.
  test::SandboxOutcome outcome(const Attempt& attempt) const {
    return work.run([&attempt](const SandboxEnds& ends) { return attempt(ends) < 0 ? 'n' : 'y'; });
  }
  void expect_killed(const std::vector<NamedAttempt>& attempts) const {
    for (const auto& [name, attempt] : attempts) {
      const test::SandboxOutcome got = outcome(attempt);
      EXPECT_EQ(got.ending, Ending::kForbiddenCall) << name << got.answer.value_or(' ');
      EXPECT_EQ(got.message,
                work.path.string() +
                    ": HDF5: damaged or hostile file (reading it led to a system call that is not "
                    "allowed)")
          << name;
    }
  }
  /// A call that needs no argument which counts.
  static NamedAttempt call(const char* name, long number) {
    return {name, [number](const SandboxEnds&) { return syscall(number, 0, 0, 0, 0, 0, 0); }};
  }

  test::SandboxWork work;
  std::filesystem::path victim() const { return work.dir.path / "victim"; }
  std::filesystem::path made() const { return work.dir.path / "made"; }
  pid_t parent = getpid();
};

TEST_F(ImportEscape, NoNetwork) {
  expect_killed({
      {"socket", [](const SandboxEnds&) { return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }},
      {"unix socket",
       [](const SandboxEnds&) { return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0); }},
      {"connect",
       [](const SandboxEnds& ends) {
         sockaddr_in address = {};
         address.sin_family = AF_INET;
         return syscall(SYS_connect, ends.requests, &address, sizeof(address));
       }},
      {"sendto on the pipe of requests",
       [](const SandboxEnds& ends) {
         return syscall(SYS_sendto, ends.requests, "x", 1, MSG_NOSIGNAL, nullptr, 0);
       }},
      call("bind", SYS_bind),
      call("recvmsg", SYS_recvmsg),
      call("socketpair", SYS_socketpair),
  });
}

TEST_F(ImportEscape, NoFurtherProgramOrProcess) {
  expect_killed({
      {"execve",
       [](const SandboxEnds&) {
         const char* const arguments[] = {"/bin/true", nullptr};
         return syscall(SYS_execve, "/bin/true", arguments, nullptr);
       }},
      call("execveat", SYS_execveat),
      {"fork", [](const SandboxEnds&) { return syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); }},
      {"many forks",
       [](const SandboxEnds&) {
         for (int i = 0; i < 100; ++i) {
           if (fork() == 0) _exit(0);
         }
         return 0L;
       }},
      call("clone3", SYS_clone3),
      call("unshare", SYS_unshare),
  });
}

TEST_F(ImportEscape, NoCode) {
  constexpr std::size_t kPage = 4096;
  expect_killed({
      {"mmap of executable memory",
       [](const SandboxEnds&) {
         return syscall(SYS_mmap, 0, kPage, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0);
       }},
      {"mprotect to executable memory",
       [](const SandboxEnds&) {
         const long page = syscall(SYS_mmap, 0, kPage, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
         return syscall(SYS_mprotect, page, kPage, PROT_READ | PROT_EXEC);
       }},
      {"mmap of a file",
       [](const SandboxEnds&) {
         return syscall(SYS_mmap, 0, kPage, PROT_READ, MAP_PRIVATE, 0, 0);
       }},
      call("pkey_mprotect", SYS_pkey_mprotect),
      call("memfd_create", SYS_memfd_create),
  });
  EXPECT_EQ(outcome([](const SandboxEnds&) {
              return syscall(SYS_mmap, 0, kPage, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
            }).answer,
            'y');
}

TEST_F(ImportEscape, NoNewNameAndNoneLost) {
  test::write_bytes(victim(), "precious");
  const std::string old_name = victim().string();
  const std::string new_name = made().string();
  expect_killed({
      {"creat", [&](const SandboxEnds&) { return syscall(SYS_creat, new_name.c_str(), 0600); }},
      {"unlink", [&](const SandboxEnds&) { return syscall(SYS_unlink, old_name.c_str()); }},
      {"unlinkat",
       [&](const SandboxEnds&) { return syscall(SYS_unlinkat, AT_FDCWD, old_name.c_str(), 0); }},
      {"rename",
       [&](const SandboxEnds&) { return syscall(SYS_rename, old_name.c_str(), new_name.c_str()); }},
      {"link",
       [&](const SandboxEnds&) { return syscall(SYS_link, old_name.c_str(), new_name.c_str()); }},
      {"symlink",
       [&](const SandboxEnds&) {
         return syscall(SYS_symlink, old_name.c_str(), new_name.c_str());
       }},
      {"mkdir", [&](const SandboxEnds&) { return syscall(SYS_mkdir, new_name.c_str(), 0700); }},
      {"mknod",
       [&](const SandboxEnds&) { return syscall(SYS_mknod, new_name.c_str(), S_IFIFO | 0600, 0); }},
      {"truncate", [&](const SandboxEnds&) { return syscall(SYS_truncate, old_name.c_str(), 0); }},
      {"chmod", [&](const SandboxEnds&) { return syscall(SYS_chmod, old_name.c_str(), 0); }},
      call("mount", SYS_mount),
      call("chroot", SYS_chroot),
  });
  EXPECT_EQ(test::read_bytes(victim()), "precious");
  EXPECT_FALSE(std::filesystem::exists(made()));
}

/// Libraries look for files in passing: that is refused, and costs nothing.
TEST_F(ImportEscape, NothingIsOpened) {
  test::write_bytes(victim(), "precious");
  const std::string old_name = victim().string();
  const std::string new_name = made().string();
  struct Opening {
    const char* path;
    int flags;
  };
  for (const auto& [path, flags] : {Opening{old_name.c_str(), O_RDONLY},
                                    {old_name.c_str(), O_WRONLY | O_TRUNC},
                                    {new_name.c_str(), O_WRONLY | O_CREAT},
                                    {"/etc/passwd", O_RDONLY},
                                    {"/proc/self/mem", O_RDWR},
                                    {"/proc/self/fd", O_RDONLY | O_DIRECTORY}}) {
    for (const bool by_openat : {false, true}) {
      const test::SandboxOutcome got = outcome([&](const SandboxEnds&) {
        return by_openat ? syscall(SYS_openat, AT_FDCWD, path, flags, 0600)
                         : syscall(SYS_open, path, flags, 0600);
      });
      EXPECT_EQ(got.answer, 'n') << path << got.message;
    }
  }
  EXPECT_EQ(test::read_bytes(victim()), "precious");
  EXPECT_FALSE(std::filesystem::exists(made()));
}

TEST_F(ImportEscape, DescriptorsHaveOneUseEach) {
  expect_killed({
      {"write to the input file",
       [](const SandboxEnds& ends) { return syscall(SYS_write, ends.file, "x", 1); }},
      {"write to stderr", [](const SandboxEnds&) { return syscall(SYS_write, 2, "x", 1); }},
      {"write into the pipe of requests",
       [](const SandboxEnds& ends) { return syscall(SYS_write, ends.requests, "x", 1); }},
      {"read of the pipe of answers",
       [](const SandboxEnds& ends) {
         char byte = '\0';
         return syscall(SYS_read, ends.answers, &byte, 1);
       }},
      {"pread of stdin",
       [](const SandboxEnds&) {
         char byte = '\0';
         return syscall(SYS_pread64, 0, &byte, 1, 0);
       }},
      {"dup", [](const SandboxEnds& ends) { return syscall(SYS_dup, ends.answers); }},
      {"close", [](const SandboxEnds& ends) { return syscall(SYS_close, ends.answers); }},
      call("pipe", SYS_pipe),
      call("io_uring_setup", SYS_io_uring_setup),
  });
}

TEST_F(ImportEscape, NoOtherProcessIsReached) {
  const auto before = std::signal(SIGABRT, SIG_IGN);  // so that a success is seen, not suffered
  expect_killed({
      {"kill", [this](const SandboxEnds&) { return syscall(SYS_kill, parent, SIGURG); }},
      {"tgkill of the parent",
       [this](const SandboxEnds&) { return syscall(SYS_tgkill, parent, parent, SIGABRT); }},
      {"tgkill with another signal",
       [](const SandboxEnds&) { return syscall(SYS_tgkill, getpid(), getpid(), SIGURG); }},
      {"ptrace of the parent",
       [this](const SandboxEnds&) { return syscall(SYS_ptrace, PTRACE_SEIZE, parent, 0, 0); }},
      {"reading the parent's memory",
       [this](const SandboxEnds&) {
         char byte = '\0';
         iovec here = {&byte, 1};
         iovec there = {&byte, 1};
         return syscall(SYS_process_vm_readv, parent, &here, 1, &there, 1, 0);
       }},
      {"limits of the parent",
       [this](const SandboxEnds&) {
         const rlimit none = {0, RLIM_INFINITY};
         return syscall(SYS_prlimit64, parent, RLIMIT_CORE, &none, nullptr);
       }},
      {"death with the parent undone",
       [](const SandboxEnds&) { return syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0); }},
      {"timer",
       [](const SandboxEnds&) {
         const itimerval none = {};
         return syscall(SYS_setitimer, ITIMER_PROF, &none, nullptr);
       }},
      {"signal handler",
       [](const SandboxEnds&) { return syscall(SYS_rt_sigaction, SIGSYS, nullptr, nullptr, 8); }},
      call("setuid", SYS_setuid),
      call("bpf", SYS_bpf),
      call("seccomp", SYS_seccomp),
  });
  std::signal(SIGABRT, before);
}

/// What stays in force without a filter: limits that no child without privileges can raise again.
TEST(ImportRights, AreGivenUpWithoutAFilterToo) {
  const test::SandboxWork work;
  const InputFile file(work.path);
  SandboxedProcess child(
      file, [] {},
      [](const SandboxEnds& ends) {
        pid_t self = getpid();
        write_answer(ends.answers, &self, sizeof(self));
        read_request(ends.requests, &self, sizeof(self));  // until the parent is done
      });
  pid_t id = 0;
  child.receive(&id, sizeof(id));
  for (const auto limit : {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_CORE}) {
    rlimit now = {1, 1};
    ASSERT_EQ(prlimit(id, limit, nullptr, &now), 0);
    EXPECT_EQ(now.rlim_cur, 0U) << limit;
    EXPECT_EQ(now.rlim_max, 0U) << limit;
  }
  const std::string status = test::read_bytes("/proc/" + std::to_string(id) + "/status");
  EXPECT_NE(status.find("\nNoNewPrivs:\t1\n"), std::string::npos) << status;
  if (child.without_filter().empty()) {
    EXPECT_NE(status.find("\nSeccomp:\t2\n"), std::string::npos) << status;
  }
}

}  // namespace
}  // namespace cdt

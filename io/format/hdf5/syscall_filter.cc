#include "io/format/hdf5/syscall_filter.h"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <initializer_list>
#include <vector>

#include "io/format/file.h"

namespace cdt {
namespace {

/// Memory, waiting for a lock or a while (HDF5 before it reads metadata again), the time, and the
/// end. abort() asks who it is and blocks signals.
constexpr std::array kAllowed = {SCMP_SYS(munmap),
                                 SCMP_SYS(mremap),
                                 SCMP_SYS(brk),
                                 SCMP_SYS(madvise),
                                 SCMP_SYS(futex),
                                 SCMP_SYS(nanosleep),
                                 SCMP_SYS(clock_nanosleep),
                                 SCMP_SYS(restart_syscall),
                                 SCMP_SYS(clock_gettime),
                                 SCMP_SYS(gettimeofday),
                                 SCMP_SYS(getpid),
                                 SCMP_SYS(gettid),
                                 SCMP_SYS(rt_sigprocmask),
                                 SCMP_SYS(exit),
                                 SCMP_SYS(exit_group)};

/// Calls by which libraries look for something in passing: HDF5 for plugins, glibc for locales and
/// processors, abort() for a place for its message. They get nothing, and their callers do without.
constexpr std::array kRefused = {SCMP_SYS(open),
                                 SCMP_SYS(openat),
                                 SCMP_SYS(openat2),
                                 SCMP_SYS(access),
                                 SCMP_SYS(faccessat),
                                 SCMP_SYS(faccessat2),
                                 SCMP_SYS(stat),
                                 SCMP_SYS(lstat),
                                 SCMP_SYS(fstat),
                                 SCMP_SYS(newfstatat),
                                 SCMP_SYS(statx),
                                 SCMP_SYS(readlink),
                                 SCMP_SYS(readlinkat),
                                 SCMP_SYS(getcwd),
                                 SCMP_SYS(ioctl),
                                 SCMP_SYS(fcntl),
                                 SCMP_SYS(lseek),
                                 SCMP_SYS(uname),
                                 SCMP_SYS(sched_getaffinity),
                                 SCMP_SYS(sysinfo),
                                 SCMP_SYS(writev),
                                 SCMP_SYS(getuid)};

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_KILL_PROCESS)) {
    if (context_ == nullptr) {
      error_ = ENOSYS;  // the kernel cannot end a process for a call: older than 4.14
      return;
    }
    note(seccomp_attr_set(context_, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
  }
  ~Filter() {
    if (context_ != nullptr) seccomp_release(context_);
  }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  /// Allows the call if its arguments pass all comparisons.
  void allow(int call, const std::vector<scmp_arg_cmp>& comparisons = {}) {
    if (error_ != 0) return;
    note(seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, call,
                                static_cast<unsigned>(comparisons.size()), comparisons.data()));
  }
  void refuse(int call) {
    if (error_ != 0) return;
    note(seccomp_rule_add_array(context_, SCMP_ACT_ERRNO(EACCES), call, 0, nullptr));
  }
  void load() {
    if (error_ == 0) note(seccomp_load(context_));
  }
  /// The first error, as errno; 0 if there was none.
  int error() const { return error_; }

 private:
  void note(int result) {
    if (result < 0 && error_ == 0) error_ = -result;
  }

  scmp_filter_ctx context_;
  int error_ = 0;
};

scmp_arg_cmp is(unsigned argument, int value) {
  return {argument, SCMP_CMP_EQ, static_cast<scmp_datum_t>(value), 0};
}

/// Of these bits of the argument, exactly those of `value` are set.
scmp_arg_cmp has_bits(unsigned argument, int bits, int value) {
  return {argument, SCMP_CMP_MASKED_EQ, static_cast<scmp_datum_t>(bits),
          static_cast<scmp_datum_t>(value)};
}

}  // namespace

std::string install_syscall_filter(const SandboxEnds& ends) {
  Filter filter;
  for (const int call : kAllowed) filter.allow(call);
  for (const int call : kRefused) filter.refuse(call);
  filter.allow(SCMP_SYS(read), {is(0, ends.requests)});
  filter.allow(SCMP_SYS(write), {is(0, ends.answers)});
  filter.allow(SCMP_SYS(pread64), {is(0, ends.file)});
  const scmp_arg_cmp no_code = has_bits(2, PROT_EXEC, 0);
  filter.allow(SCMP_SYS(mmap), {no_code, has_bits(3, MAP_ANONYMOUS, MAP_ANONYMOUS)});
  filter.allow(SCMP_SYS(mprotect), {no_code});
  filter.allow(SCMP_SYS(tgkill), {is(0, getpid()), is(2, SIGABRT)});
#if defined(__SANITIZE_ADDRESS__)  // which asks for the signal stack before each exception and end
  filter.allow(SCMP_SYS(sigaltstack), {is(0, 0)});
#endif
  filter.load();
  return filter.error() == 0 ? ""
                             : "the system refuses one (" + system_message(filter.error()) + ")";
}

}  // namespace cdt

// The parent's side.
#include "io/format/hdf5/sandbox.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "engine/poll.h"
#include "io/format/hdf5/sandbox_child.h"
#include "io/format/text.h"

namespace cdt {
namespace {

using Ending = SandboxError::Ending;

constexpr int kSliceMs = 100;        // between two looks at the limits and at interrupts
constexpr int kPipeBytes = 1 << 20;  // what any user may ask for unless the system says otherwise

const char* description(Ending ending) {
  switch (ending) {
    case Ending::kCrash:
      return "the HDF5 library crashed on it";
    case Ending::kForbiddenCall:
      return "reading it led to a system call that is not allowed";
    case Ending::kTooLong:
      return "reading it comes to no end";
    case Ending::kBadAnswer:
      break;
  }
  return "the process that reads it gave no proper answer";
}

double seconds_of(clockid_t clock) {
  timespec time = {};
  if (clock_gettime(clock, &time) != 0) return 0.0;
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

[[noreturn]] void fail_to_start() {
  throw Error("cannot start the process that reads HDF5 (" + system_message(errno) + ")");
}

/// Two connected descriptors: the parent's and the child's.
struct Pair {
  FileDescriptor parent, child;
};

/// For requests a socket, since writing into a pipe without a reader raises a signal.
Pair request_pair() {
  std::array<int, 2> ends{};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) fail_to_start();
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

Pair answer_pair() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) fail_to_start();
  fcntl(ends[0], F_SETPIPE_SZ, kPipeBytes);  // if it stays smaller, it is only slower
  return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

}  // namespace

SandboxError::SandboxError(const std::string& file, Ending ending)
    : InputError(file, "HDF5",
                 std::string("damaged or hostile file (") + description(ending) + ")"),
      ending_(ending) {}

int SandboxedProcess::Child::stop() noexcept {
  if (child_ < 0) return status_;
  kill(child_, SIGKILL);  // no effect on one that has ended
  while (waitpid(child_, &status_, 0) < 0 && errno == EINTR) {
  }
  child_ = -1;
  return status_;
}

double SandboxedProcess::Child::processor_time() const {
  clockid_t clock = {};
  return clock_getcpuclockid(child_, &clock) == 0 ? seconds_of(clock) : 0.0;
}

SandboxedProcess::SandboxedProcess(const InputFile& file, const std::function<void()>& prepare,
                                   const std::function<void(const SandboxEnds&)>& work,
                                   const SandboxLimits& limits)
    : file_(file.path().string()), limits_(limits) {
  {
    Pair requests = request_pair();
    Pair answers = answer_pair();
    const SandboxEnds ends{file.descriptor(), requests.child.get(), answers.child.get()};
    std::signal(SIGCHLD, SIG_DFL);  // if it is ignored, the child's end is not known
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) fail_to_start();
    if (child == 0) run_sandboxed(parent, ends, limits, prepare, work);
    child_.set(child);
    requests_ = std::move(requests.parent);
    answers_ = std::move(answers.parent);
  }
  begin_step();
  FilterReport report;  // sent before the child has seen the file
  receive(&report, sizeof(report));
  without_filter_ = report.text();
  if (!without_filter_.empty()) {
    note("HDF5 is read without a system call filter: " + without_filter_);
  }
}

void SandboxedProcess::begin_step(int allowance) {
  may_compute_ =
      child_.processor_time() + static_cast<double>(limits_.processor_seconds) * allowance;
  waited_ = 0.0;
}

void SandboxedProcess::send(const void* data, std::size_t size) {
  const auto* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t n = ::send(requests_.get(), from, size, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) report_end();
    from += n;
    size -= static_cast<std::size_t>(n);
  }
}

void SandboxedProcess::receive(void* out, std::size_t size) {
  auto* to = static_cast<char*>(out);
  while (size > 0) {
    wait_for_answer();
    const ssize_t n = ::read(answers_.get(), to, size);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) report_end();
    to += n;
    size -= static_cast<std::size_t>(n);
  }
}

void SandboxedProcess::wait_for_answer() {
  pollfd answer = {answers_.get(), POLLIN, 0};
  while (true) {
    poll();
    const double begin = seconds_of(CLOCK_MONOTONIC);
    const int ready = ::poll(&answer, 1, kSliceMs);
    // Time in which this process was suspended counts as one slice.
    waited_ += std::min(seconds_of(CLOCK_MONOTONIC) - begin, 1e-3 * kSliceMs);
    if (waited_ > limits_.seconds || child_.processor_time() > may_compute_) end(Ending::kTooLong);
    if (ready > 0) return;
    if (ready < 0 && errno != EINTR) {
      throw Error("cannot wait for the process that reads HDF5 (" + system_message(errno) + ")");
    }
  }
}

void SandboxedProcess::refuse_answer() { end(Ending::kBadAnswer); }

void SandboxedProcess::end(Ending ending) {
  child_.stop();
  throw SandboxError(file_, ending);
}

void SandboxedProcess::report_end() {
  const int status = child_.stop();
  if (!WIFSIGNALED(status)) throw SandboxError(file_, Ending::kBadAnswer);
  const int signal = WTERMSIG(status);
  if (signal == SIGSYS) throw SandboxError(file_, Ending::kForbiddenCall);
  for (const int crash : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGTRAP}) {
    if (signal == crash) throw SandboxError(file_, Ending::kCrash);
  }
  throw Error(printable(file_) + ": HDF5: the process that reads it was stopped by signal " +
              std::to_string(signal) + " (" + strsignal(signal) + ")");
}

}  // namespace cdt

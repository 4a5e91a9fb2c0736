// A child process for work on an untrusted file. libhdf5 crashes, loops, asks for absurd amounts of
// memory, or may be made to run an attacker's code by some damaged files. The child has one open
// file and a pair of pipes to its parent, nothing else: no other descriptor, no name of a file, no
// network, no further process or program, a limit on memory, and no privileges to gain. What it
// answers is untrusted. However it ends, the parent throws one InputError.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "engine/error.h"
#include "io/format/file.h"
#include "io/format/hdf5/syscall_filter.h"

namespace cdt {

struct SandboxLimits {
  /// Memory that the child may allocate beyond what the process holds at the fork.
  std::int64_t memory_bytes = std::int64_t{3} << 30;
  /// Processor time of the child for one step.
  int processor_seconds = 20;
  /// Time for one step in all, for a disk or a network that is slow. Time in which both processes
  /// are suspended does not count.
  int seconds = 600;
};

/// "FILE: HDF5: damaged or hostile file (...)": the child ended, or was ended, without an answer.
class SandboxError : public InputError {
 public:
  enum class Ending : std::uint8_t { kCrash, kForbiddenCall, kTooLong, kBadAnswer };
  SandboxError(const std::string& file, Ending ending);
  Ending ending() const { return ending_; }

 private:
  Ending ending_;
};

class SandboxedProcess {
 public:
  /// Forks. The child calls prepare(), gives up all rights, calls work(), and exits when that
  /// returns or throws. A note on stderr says if there is no system call filter. `file` is the one
  /// file that stays open in the child. Not safe to call from two threads.
  SandboxedProcess(const InputFile& file, const std::function<void()>& prepare,
                   const std::function<void(const SandboxEnds&)>& work,
                   const SandboxLimits& limits = {});
  SandboxedProcess(const SandboxedProcess&) = delete;
  SandboxedProcess& operator=(const SandboxedProcess&) = delete;
  /// Ends the child.
  ~SandboxedProcess() = default;

  /// Why the child has no system call filter; "" if it has one.
  const std::string& without_filter() const { return without_filter_; }
  /// Begins a step, which may take `allowance` times the processor time of the limits.
  void begin_step(int allowance = 1);
  /// Both throw SandboxError if the child has ended or takes too long, Error if it was killed from
  /// outside, and what poll() throws (engine/poll.h).
  void send(const void* data, std::size_t size);
  void receive(void* out, std::size_t size);
  /// Ends the child because of what it answered, and throws SandboxError.
  [[noreturn]] void refuse_answer();

 private:
  /// Owns a child process: kills it and waits for it.
  class Child {
   public:
    Child() = default;
    ~Child() { stop(); }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    void set(pid_t child) { child_ = child; }
    /// Returns the status of waitpid(), which is that of an earlier end if there was one.
    int stop() noexcept;
    /// Seconds of processor time used.
    double processor_time() const;

   private:
    pid_t child_ = -1;
    int status_ = 0;
  };

  void wait_for_answer();
  [[noreturn]] void end(SandboxError::Ending ending);
  [[noreturn]] void report_end();

  std::string file_;
  SandboxLimits limits_;
  Child child_;
  FileDescriptor requests_, answers_;
  std::string without_filter_;
  double may_compute_ = 0.0;  // processor time at which the step ends, in seconds
  double waited_ = 0.0;       // seconds in this step
};

}  // namespace cdt

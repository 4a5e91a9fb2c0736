// Where the time of a program goes, op by op. A profile belongs to a backend that was made for it
// (make_profiling_backend()); the tape says which op runs, the backend what its kernels do.
//
// Time is taken from moments in the device's own order of work (Backend::mark()), so nothing waits
// for the host, and a recorded step is timed in every replay: its marks are part of the recording.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/kernel_types.h"

namespace cdt {

class Backend;

/// What kernels do: floating-point operations of products (two for a multiply-add; all else counts
/// none), and bytes, each operand read once and each result written once.
struct Work {
  double flop = 0;
  double bytes = 0;

  Work& operator+=(const Work& other) {
    flop += other.flop;
    bytes += other.bytes;
    return *this;
  }
};

// The work of kernels: what the mathematics asks for, whatever way a backend takes. Sizes as in
// engine/backend.h.

/// Element-wise: every tensor read or written once; empty ones count nothing.
Work traffic(std::initializer_list<Tensor> tensors);

/// Element-wise, as traffic(); what is added to counts twice.
Work add_norm_backward_work(const AddNormBackward& g);

/// 2 m n k flop for each problem; factors that the batch shares are read once.
Work product_work(const Gemm& g);

/// Two products of 2 K flop for every query and key: scores, once for all samples if these share
/// queries and keys, and the mix of values.
Work attention_work(const Attention& a);

/// The scores again, the gradients of the probabilities, and one product each for dq, dk and dv as
/// far as they are wanted; what the samples share is formed once.
Work attention_backward_work(const AttentionBackward& a);

/// `products` multiply-adds for every sample, row of coefficients (B, H, N) and element of
/// x(.., C).
Work pool_work(const Tensor& coefficients, const Tensor& x, int products,
               std::initializer_list<Tensor> others);

Work clip_work(std::span<const AdamWTensors> parameters, const Tensor& clip);
Work adamw_work(std::span<const AdamWTensors> parameters);

enum class ProfilePass : std::uint8_t {
  kForward,
  kBackward,
  kOutside,  // kernels of no op: the optimiser, gradients set to zero, copies
};

class Profiler {
 public:
  explicit Profiler(Backend& device) : device_(device) {}

  /// One op in one pass; outside the tape, one kind of kernel.
  struct Row {
    std::int64_t calls = 0;
    double seconds = 0;
    Work work;
  };
  using Key = std::pair<ProfilePass, std::string>;

  /// From here to leave(), time and work belong to this row. Within it, enter() and leave() change
  /// nothing: what an op calls is the op's.
  void enter(ProfilePass pass, const char* name);
  void leave();
  /// A kernel that is asked for within a row.
  void add(const Work& work);

  /// Runs `launch`, which may call `work` through the function it is given or replay what that
  /// recorded: Backend::run_recorded() seen from outside.
  void run_recorded(const std::string& name, const std::function<void()>& work,
                    const std::function<void(const std::function<void()>&)>& launch);

  /// All rows so far; waits for the device.
  const std::map<Key, Row>& rows();
  /// Seconds of the host's clock since the profile began or was cleared.
  double wall_seconds() const;
  /// Forgets what was measured, e.g. while a program warmed up.
  void clear();

 private:
  struct Span {
    Key key;
    std::int64_t from = 0, to = 0;  // marks
    std::int64_t kernels = 0;
    Work work;
  };
  /// Spans that are timed together: those of a recorded step, or of work between such steps.
  struct Section {
    std::vector<Span> spans;
    std::vector<std::int64_t> marks;  // of its own, used again in the same order
    std::size_t used = 0;
    bool pending = false;  // has it run since it was collected?
  };

  std::int64_t next_mark();
  /// Adds the times of a section to the rows; waits for the device if there are any.
  void collect(Section& section);

  Backend& device_;
  std::map<Key, Row> rows_;
  std::map<std::string, Section> recorded_;
  Section between_;
  Section* section_ = &between_;  // the one that spans go to
  std::int64_t marks_ = 0;
  int depth_ = 0;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// While it lives, time belongs to a row of the profile; null: nothing happens.
class ProfileScope {
 public:
  ProfileScope(Profiler* profiler, ProfilePass pass, const char* name) : profiler_(profiler) {
    if (profiler_ != nullptr) profiler_->enter(pass, name);
  }
  /// And does work in it.
  ProfileScope(Profiler* profiler, ProfilePass pass, const char* name, const Work& work)
      : ProfileScope(profiler, pass, name) {
    if (profiler_ != nullptr) profiler_->add(work);
  }
  ~ProfileScope() {
    try {
      if (profiler_ != nullptr) profiler_->leave();
    } catch (...) {  // a device that fails says so again at the next call
    }
  }
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  Profiler* profiler_;
};

}  // namespace cdt

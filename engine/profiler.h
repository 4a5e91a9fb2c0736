// Measures where a program's time goes, op by op. The profile belongs to a backend made by
// make_profiling_backend(); the tape says which op runs, the backend what its kernels do.
//
// Times come from marks in the device's own queue (Backend::mark()), so the host never waits. A
// recorded step is timed in every replay, because its marks are part of the recording.
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

/// The work of kernels: floating-point operations of products (two per multiply-add; nothing else
/// is counted), and bytes, with each operand read once and each result written once.
struct Work {
  double flop = 0;
  double bytes = 0;

  Work& operator+=(const Work& other) {
    flop += other.flop;
    bytes += other.bytes;
    return *this;
  }
};

// Work functions: what the mathematics requires, however a backend computes it. Sizes as in
// engine/backend.h.

/// Work of an element-wise kernel: every tensor is read or written once; empty ones do not count.
Work traffic(std::initializer_list<Tensor> tensors);

/// Element-wise, as traffic(); a tensor that is added to counts twice.
Work add_norm_backward_work(const AddNormBackward& g);

/// 2 m n k flop per problem; factors that the batch shares are read once.
Work product_work(const Gemm& g);

/// Two products of 2 K flop per query and key: the scores (once for all samples if they share
/// queries and keys) and the weighted sum of values.
Work attention_work(const Attention& a);

/// The scores again, the gradients of the probabilities, and one product each for those of dq, dk
/// and dv that are wanted; what the samples share is computed once.
Work attention_backward_work(const AttentionBackward& a);

/// `products` multiply-adds per coefficient (B, H, N) and column of x(.., C).
Work pool_work(const Tensor& coefficients, const Tensor& x, int products,
               std::initializer_list<Tensor> others);

Work clip_work(std::span<const AdamWTensors> parameters, const Tensor& clip);
Work adamw_work(std::span<const AdamWTensors> parameters);

enum class ProfilePass : std::uint8_t {
  kForward,
  kBackward,
  kOutside,  // kernels outside ops: the optimiser, zeroing of gradients, copies
};

class Profiler {
 public:
  explicit Profiler(Backend& device) : device_(device) {}

  /// The totals of one op in one pass or, outside the tape, of one kind of kernel.
  struct Row {
    std::int64_t calls = 0;
    double seconds = 0;
    Work work;
  };
  using Key = std::pair<ProfilePass, std::string>;

  /// Attributes time and work until leave() to this row. Nested enter() and leave() have no effect:
  /// what an op calls counts as that op's.
  void enter(ProfilePass pass, const char* name);
  void leave();
  /// Adds the work of a kernel launched within a row.
  void add(const Work& work);

  /// Profiles a Backend::run_recorded(). Runs `launch`, which either calls `work`, through the
  /// function it is given, or replays what that recorded.
  void run_recorded(const std::string& name, const std::function<void()>& work,
                    const std::function<void(const std::function<void()>&)>& launch);

  /// Calls `listener` with the work of each row when the row is left; an empty one ends this.
  void listen(std::function<void(const Key&, const Work&)> listener) {
    listener_ = std::move(listener);
  }

  /// Returns all rows so far; waits for the device.
  const std::map<Key, Row>& rows();
  /// Wall-clock seconds since the profile began or was cleared.
  double wall_seconds() const;
  /// Discards everything measured so far, e.g. during warm-up.
  void clear();

 private:
  struct Span {
    Key key;
    std::int64_t from = 0, to = 0;  // marks
    std::int64_t kernels = 0;
    Work work;
  };
  /// Spans whose marks are read together: those of one recorded step, or those between such steps.
  struct Section {
    std::vector<Span> spans;
    std::vector<std::int64_t> marks;  // the section's own, reused in the same order
    std::size_t used = 0;
    bool pending = false;  // true if it ran since it was last collected
  };

  std::int64_t next_mark();
  /// Adds the times of a section to the rows if it is pending, for which it waits for the device.
  void collect(Section& section);

  Backend& device_;
  std::map<Key, Row> rows_;
  std::map<std::string, Section> recorded_;
  Section between_;
  Section* section_ = &between_;  // where spans are recorded now
  std::int64_t marks_ = 0;
  int depth_ = 0;
  std::function<void(const Key&, const Work&)> listener_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

/// Attributes time to a row of the profile for its lifetime; does nothing if profiler is null.
class ProfileScope {
 public:
  ProfileScope(Profiler* profiler, ProfilePass pass, const char* name) : profiler_(profiler) {
    if (profiler_ != nullptr) profiler_->enter(pass, name);
  }
  /// Also adds work to the row.
  ProfileScope(Profiler* profiler, ProfilePass pass, const char* name, const Work& work)
      : ProfileScope(profiler, pass, name) {
    if (profiler_ != nullptr) profiler_->add(work);
  }
  ~ProfileScope() {
    try {
      if (profiler_ != nullptr) profiler_->leave();
    } catch (...) {  // a failed device reports its error again at the next call
    }
  }
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  Profiler* profiler_;
};

}  // namespace cdt

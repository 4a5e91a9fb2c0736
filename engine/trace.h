// The ops that a tape runs, in order: what each reads and makes, and its work forward and backward.
// The tape reports the ops; their work is what the profiler of the backend counts, so that a trace
// and a profile have the same numbers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/profiler.h"
#include "engine/tensor.h"

namespace cdt {

struct Variable;

/// One input of an op: a variable or a plain tensor. A null variable is ignored.
struct OpInput {
  OpInput(Variable* v);
  OpInput(const Tensor& t) : tensor(t) {}
  Variable* value = nullptr;
  Tensor tensor;
};

class Trace {
 public:
  /// One input of an op.
  struct Input {
    Tensor tensor;
    std::int64_t op = -1;  // the op that made it; -1: a parameter or data
  };
  struct Op {
    std::string name;    // as in profiles
    std::string module;  // of the model; "" outside of it
    std::vector<Input> inputs;
    Tensor output;
    Work forward, backward;
  };

  /// Takes the work of ops from `profiler`, which must outlive the trace.
  explicit Trace(Profiler& profiler);
  ~Trace() { profiler_.listen({}); }
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// In the order of the forward pass.
  const std::vector<Op>& ops() const { return ops_; }

  // Called by the tape.
  /// An op starts.
  void start(const char* name, std::string_view module, const std::vector<OpInput>& inputs);
  /// The op that started last has made `out`; returns its index. An op that makes nothing, such as
  /// dropout in eval mode, is not part of the trace.
  std::int64_t made(Variable* out);
  /// The gradient rule of op number `op` runs.
  void rule_runs(std::int64_t op) { current_ = op; }

 private:
  void add(const Profiler::Key& key, const Work& work);

  Profiler& profiler_;
  std::vector<Op> ops_;
  std::map<const Variable*, std::int64_t> maker_;  // index of the op that made a value
  Op next_;                                        // started, and has made nothing yet
  bool started_ = false;
  std::int64_t current_ = -1;  // the op whose work is counted
};

}  // namespace cdt

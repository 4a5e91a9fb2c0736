// Define-by-run differentiation. An op computes its value, records a gradient rule on the tape and
// returns; backward() walks the rules from the last to the first. No recursion, no graph search.
//
// The accumulate rule. A parameter's gradient lives for the whole step, and every rule adds to it.
// An activation's gradient is written by the first rule that reaches it and added to by later ones;
// Tape::gradient() says which. A rule runs only if its output received a gradient.
//
// Several losses at once: backward() from `count` cotangents gives every activation `count`
// gradients, one after the other in its `grad`. By default a rule runs once per cotangent and sees
// only that one, so the bits do not depend on `count`. A rule recorded with
// CotangentOrder::kTogether runs once and sees all of them.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/profiler.h"
#include "engine/tensor.h"
#include "engine/trace.h"
#include "engine/value_watch.h"

namespace cdt {

/// A value in a computation. A parameter's tensors are in the lasting arena, an activation's in the
/// step arena.
struct Variable {
  Tensor value;
  Tensor grad;              // empty until a rule reaches it (parameters: always allocated)
  bool needs_grad = false;  // true if anything upstream needs a gradient
  bool lasting = false;     // parameter: its gradient accumulates over the step
  bool owned = false;       // value belongs to the step arena
  // Keep the value after backward(). An input's gradient is kept too; the gradient of an op's
  // output may be lost, because rules may overwrite it.
  bool keep = false;
  std::int64_t written = 0;  // number of losses whose part of grad has been written
  // For parameters on a backend with bfloat16 activations: a copy of value in that type, for
  // products.
  Tensor rounded = {};
  // The bias that the op added to every row of value as its last step, or null. The bias's gradient
  // is the column sums of grad. bias_summed: the rule that wrote grad already added them to that
  // gradient (Tape::bias_gradient()); otherwise the op's own rule does.
  Variable* bias = nullptr;
  bool bias_summed = false;
};
using Var = Variable*;

bool any_needs_grad(std::initializer_list<Var> inputs);
/// Returns the parameter in the type that products with tensors of type dtype need.
Tensor weight_as(Var parameter, Dtype dtype);

/// Where a rule puts a gradient, and whether it adds to it or writes it.
struct GradTarget {
  Tensor grad;
  bool accumulate = false;
  float beta() const { return accumulate ? 1.0F : 0.0F; }  // beta of a GEMM into grad
};

/// A starting point of backward(): a value and d loss / d value, of shape (count * first dimension,
/// ...) for `count` losses.
struct Cotangent {
  Var out = nullptr;
  Tensor gradient;
};

/// Whether every sample of a batch has a dropout mask of its own, or the batch shares one.
enum class MaskPer : std::uint8_t { kSample, kBatch };

/// How a rule processes the cotangents of several losses.
enum class CotangentOrder : std::uint8_t { kOneByOne, kTogether };

/// Is told, while backward() runs, which gradients of parameters no later rule adds to: first those
/// of the parameters that the forward pass used last.
class GradientWatch {
 public:
  virtual ~GradientWatch() = default;
  /// gradient: of a parameter, or of rows of one (Tape::rows_of()). Kernels that add to it may
  /// still run on an asynchronous device.
  virtual void complete(const Tensor& gradient) = 0;
};

class Tape {
 public:
  Tape(Backend& backend, Arena& step, Arena& scratch)
      : backend_(backend), step_(step), scratch_(scratch), profiler_(backend.profiler()) {}

  Backend& backend() { return backend_; }
  Arena& scratch() { return scratch_; }
  Profiler* profiler() { return profiler_; }
  /// Reports every op from now on to `trace`, which must outlive the tape.
  void follow(Trace* trace) { trace_ = trace; }
  /// Reports gradients of the forward passes from now on to `watch`, which must outlive the tape;
  /// null: no longer.
  void watch(GradientWatch* watch) { watch_ = watch; }
  /// Shows all outputs and gradients from now on to `values`, which must outlive the tape; null: no
  /// longer.
  void show(ValueWatch* values) { values_ = values; }

  /// Turns dropout on (train()) or off (eval()). Masks are keyed by seed, step and the order of
  /// dropout sites, and the samples of this tape are those from number `first_sample` on of the
  /// whole batch: each gets the mask that it has there. A recorded step keeps its first sample.
  void train(std::uint64_t seed, std::uint32_t step, std::int64_t first_sample = 0);
  void eval();
  bool training() const { return training_; }
  /// Returns the key of the next dropout site; p = 0 (identity) in eval. mask: its shape, (samples,
  /// ..., columns), or, shared by the batch, of any first dimension. Throws Error if the rows of
  /// the samples up to the last of these are more than the 2^32 that a mask can number.
  DropoutKey next_dropout(float p, const Shape& mask, MaskPer per = MaskPer::kSample);

  /// Wraps data that needs no gradient.
  Var constant(const Tensor& value);
  /// Wraps data whose gradient is wanted and kept (attribution).
  Var input(const Tensor& value);
  /// Returns rows [begin, end) of a parameter, e.g. one part of a packed in_proj_weight.
  Var rows_of(Var parameter, std::int64_t begin, std::int64_t end);
  /// Allocates the output of an op, uninitialised.
  Var output(const Shape& shape, bool needs_grad, Dtype dtype = Dtype::kFloat32);
  /// For in-place ops: takes over the memory of an activation that no rule reads any more. Returns
  /// a copy if the value is kept or is not an activation of this step.
  Tensor take_value(Var consumed);
  /// Makes an op output in memory obtained from take_value() or saved().
  Var output_in(const Tensor& memory, bool needs_grad);
  /// Frees the value of an op's output that neither an op nor a rule reads any more. Does nothing
  /// if the value is kept.
  void drop(Var v);
  /// Allocates a tensor that a rule will need; it is freed after the rule has run.
  Tensor saved(const Shape& shape, Dtype dtype = Dtype::kFloat32) {
    return step_.tensor(shape, dtype);
  }

  /// Appends the gradient rule of `out`; `saved` tensors are freed once it has run. If `out` needs
  /// no gradient, the rule is dropped and `saved` is freed at once.
  void record(Var out, std::vector<Tensor> saved, std::function<void()> rule,
              CotangentOrder order = CotangentOrder::kOneByOne);

  /// For rules: returns the gradient of v, allocated on first use.
  GradTarget gradient(Var v);
  /// For rules whose kernels can only overwrite. The first time, write(d loss / d v) gets the
  /// gradient itself; later it gets other memory, which is then added to the gradient: `spare`, of
  /// equal shape, which may be overwritten, or else scratch. If v needs no gradient, it gets an
  /// empty tensor.
  void write_gradient(Var v, const std::function<void(const Tensor&)>& write,
                      const Tensor& spare = {});
  /// For rules of in-place ops (take_value(v)) whose kernel can form column sums while it writes
  /// v's gradient, `target`. Returns the gradient of v's bias, to which the kernel must then add
  /// those sums, or an empty tensor if v has no bias that needs a gradient or other ops may
  /// contribute to v's gradient.
  Tensor bias_gradient(Var v, const GradTarget& target);
  /// For rules: the number of cotangents in the output's `grad`.
  std::int64_t cotangents() const { return current_ == kAll ? count_ : 1; }

  /// Runs the rules in reverse from d loss / d out = cotangent, where out is a scalar (1). Values,
  /// gradients and saved tensors return to the step arena as soon as nothing reads them.
  void backward(Var out, float cotangent = 1.0F);
  /// Starts from a given d loss / d out, of out's shape. retain: values stay, so backward() can be
  /// called again with another cotangent; call reset_gradients() in between.
  void backward(Var out, const Tensor& cotangent, bool retain = false);
  /// Runs `count` losses at once, each given by its gradients at several values. The gradient of a
  /// parameter is the sum over the losses.
  void backward(const std::vector<Cotangent>& cotangents, std::int64_t count, bool retain);
  /// Frees the gradients of everything but parameters.
  void reset_gradients();

  /// Ends the step: drops rules and variables and resets the step arena.
  void clear();

 private:
  friend class OpScope;
  friend class ModuleScope;
  struct Rule {
    Var out;
    std::vector<Tensor> saved;
    std::function<void()> run;
    CotangentOrder order;
    const char* op;
    std::int64_t traced;  // index of the op in the trace
    // Only if values are shown: the op's module, and the gradients of its parameters.
    std::string_view module;
    std::vector<Tensor> parameters;
  };
  void run(const Rule& rule);
  /// An op is about to read `inputs`: notes the gradients of the parameters among them.
  void note_parameters(const std::vector<OpInput>& inputs);
  /// Shows the gradients that a rule has written.
  void show_gradients(const Rule& rule);
  /// An op is about to read `inputs`: notes the parameters among them that were not used before.
  void note_uses(const std::vector<OpInput>& inputs);
  /// Rule `i` has run: reports the gradients that are complete now.
  void report_complete(std::size_t i);
  static constexpr std::int64_t kAll = -1;
  /// Returns the part of a gradient that the running rule may see.
  Tensor visible(const Tensor& gradient) const;
  void free_gradient(Variable& v);

  Backend& backend_;
  Arena& step_;
  Arena& scratch_;
  Profiler* profiler_;       // or null
  Trace* trace_ = nullptr;   // or null
  const char* op_ = "";      // the running op
  std::string_view module_;  // the module that it belongs to
  std::deque<Variable> variables_;
  std::vector<Rule> rules_;
  GradientWatch* watch_ = nullptr;  // or null
  ValueWatch* values_ = nullptr;    // or null
  std::vector<Tensor> parameters_;  // if values are shown: gradients of the running op's parameters
  std::vector<Tensor> written_;     // if values are shown: gradients that the running rule has got
  /// The gradient of a parameter, and the number of rules before that of the op that used it first.
  struct FirstUse {
    Tensor gradient;
    std::size_t rules;
  };
  std::vector<FirstUse> first_uses_;  // in the order of the forward pass; those not reported yet
  bool training_ = false;
  std::uint64_t seed_ = 0;
  std::uint32_t step_number_ = 0;
  std::uint32_t next_site_ = 0;
  std::int64_t first_sample_ = 0;
  std::int64_t count_ = 1;    // losses in the current backward pass
  std::int64_t current_ = 0;  // index of the cotangent the rule sees, or kAll
};

/// Marks the scope of an op; declare it first. Everything computed and recorded within belongs to
/// that op, also in profiles and traces. An op called by another op counts as part of the outer
/// one. inputs: everything that the op reads.
class OpScope {
 public:
  OpScope(Tape& tape, const char* op, const std::vector<OpInput>& inputs)
      : tape_(tape), outer_(tape.op_), time_(tape.profiler_, ProfilePass::kForward, op) {
    if (*outer_ != 0) return;
    tape.op_ = op;
    if (tape.trace_ != nullptr) tape.trace_->start(op, tape.module_, inputs);
    if (tape.watch_ != nullptr) tape.note_uses(inputs);
    if (tape.values_ != nullptr) tape.note_parameters(inputs);
  }
  ~OpScope() { tape_.op_ = outer_; }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

 private:
  Tape& tape_;
  const char* outer_;
  ProfileScope time_;
};

/// Assigns the ops of its lifetime to a module of the model, for traces. The name must outlive it.
class ModuleScope {
 public:
  ModuleScope(Tape& tape, std::string_view module) : tape_(tape), outer_(tape.module_) {
    tape.module_ = module;
  }
  ~ModuleScope() { tape_.module_ = outer_; }
  ModuleScope(const ModuleScope&) = delete;
  ModuleScope& operator=(const ModuleScope&) = delete;

 private:
  Tape& tape_;
  std::string_view outer_;
};

}  // namespace cdt

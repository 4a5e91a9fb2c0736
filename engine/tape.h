// Define-by-run differentiation. An op computes its value, records a gradient rule on the tape and
// returns; backward() walks the rules from the last to the first. No recursion, no graph search.
//
// The accumulate rule, once: the gradient of a parameter lasts over the step and every rule adds to
// it. The gradient of an activation is written by the first rule that reaches it and added to by
// later ones; Tape::gradient() says which. A rule runs only if its output received a gradient.
//
// Several losses at once: backward() from `count` cotangents gives every activation `count`
// gradients, one after the other in its `grad`. A rule runs once for each and sees one at a time,
// so the bits do not depend on how many there are; a rule recorded as CotangentOrder::kTogether
// runs once and sees them all.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <initializer_list>
#include <vector>

#include "engine/arena.h"
#include "engine/backend.h"
#include "engine/profiler.h"
#include "engine/tensor.h"

namespace cdt {

/// A value in a computation. Parameters own theirs in the lasting arena, activations in the step's.
struct Variable {
  Tensor value;
  Tensor grad;              // empty until a rule reaches it (parameters: always allocated)
  bool needs_grad = false;  // does anything upstream want a gradient
  bool lasting = false;     // parameter: its gradient accumulates over the step
  bool owned = false;       // value belongs to the step arena
  // The value survives backward. The gradient of an input survives too; that of an op's output may
  // not, because rules may overwrite it.
  bool keep = false;
  std::int64_t written = 0;  // losses whose part of grad has been written
  // Parameters of a backend with bfloat16 activations: a copy of value in that type, for products.
  Tensor rounded = {};
  // The parameter that its op added to every row of value at the end, or null. Its gradient is the
  // column sums of grad: bias_summed says that Tape::bias_gradient() handed this sum to the rule
  // that wrote grad, else the op's own rule forms it.
  Variable* bias = nullptr;
  bool bias_summed = false;
};
using Var = Variable*;

bool any_needs_grad(std::initializer_list<Var> inputs);
/// A parameter in the type in which products with tensors of type dtype take it.
Tensor weight_as(Var parameter, Dtype dtype);

/// Where a rule puts a gradient, and whether it adds.
struct GradTarget {
  Tensor grad;
  bool accumulate = false;
  float beta() const { return accumulate ? 1.0F : 0.0F; }  // of a product into grad
};

/// A value and d loss / d value, where backward() begins: (count * first dimension, ...) for
/// `count` losses.
struct Cotangent {
  Var out = nullptr;
  Tensor gradient;
};

/// How a rule takes the cotangents of several losses.
enum class CotangentOrder : std::uint8_t { kOneByOne, kTogether };

class Tape {
 public:
  Tape(Backend& backend, Arena& step, Arena& scratch)
      : backend_(backend), step_(step), scratch_(scratch), profiler_(backend.profiler()) {}

  Backend& backend() { return backend_; }
  Arena& scratch() { return scratch_; }
  Profiler* profiler() { return profiler_; }

  /// Dropout on (training) or off. Masks are keyed by seed, step and the order of dropout sites.
  void train(std::uint64_t seed, std::uint32_t step);
  void eval();
  bool training() const { return training_; }
  /// The key of the next dropout site; p = 0 (identity) in eval.
  DropoutKey next_dropout(float p);

  /// Data that wants no gradient.
  Var constant(const Tensor& value);
  /// Data whose gradient is wanted and kept (attribution).
  Var input(const Tensor& value);
  /// Rows [begin, end) of a parameter, e.g. one part of a packed in_proj_weight.
  Var rows_of(Var parameter, std::int64_t begin, std::int64_t end);
  /// The uninitialised output of an op.
  Var output(const Shape& shape, bool needs_grad, Dtype dtype = Dtype::kFloat32);
  /// For ops that work in place: takes the memory of an activation that no rule reads any more. If
  /// it is not an activation of this step, or is kept, the memory is a copy.
  Tensor take_value(Var consumed);
  /// An op output in memory that take_value() or saved() gave.
  Var output_in(const Tensor& memory, bool needs_grad);
  /// Gives back the value of an op's output that nothing reads any more, neither an op nor a rule.
  /// One that is kept stays.
  void drop(Var v);
  /// A tensor a rule will need, freed after the rule ran.
  Tensor saved(const Shape& shape, Dtype dtype = Dtype::kFloat32) {
    return step_.tensor(shape, dtype);
  }

  /// Appends the gradient rule of `out`; `saved` are freed once it has run. Without a need for a
  /// gradient the rule is dropped and `saved` freed at once.
  void record(Var out, std::vector<Tensor> saved, std::function<void()> rule,
              CotangentOrder order = CotangentOrder::kOneByOne);

  /// For rules: allocates the gradient of v on first touch.
  GradTarget gradient(Var v);
  /// For rules whose kernels write and do not add: write(d loss / d v) gets the gradient itself on
  /// first touch, later memory that is then added to it: `spare`, of equal shape, which may be
  /// overwritten, else scratch. It gets an empty tensor where v wants no gradient.
  void write_gradient(Var v, const std::function<void(const Tensor&)>& write,
                      const Tensor& spare = {});
  /// For rules of ops that took v's value, whose kernels sum up the gradient they put into
  /// `target`, v's: where they add the column sums, which they then must. Empty where v has no bias
  /// that wants a gradient, or other ops may contribute to v's gradient.
  Tensor bias_gradient(Var v, const GradTarget& target);
  /// For rules: how many cotangents `grad` of its output holds.
  std::int64_t cotangents() const { return current_ == kAll ? count_ : 1; }

  /// Runs the rules backwards from d loss / d out = 1, out a scalar (1). Values, gradients and
  /// saved tensors go back to the step arena as soon as nothing reads them.
  void backward(Var out);
  /// From a given d loss / d out, of the shape of out. retain: values stay, so that it can be
  /// called again with another cotangent; call reset_gradients() in between.
  void backward(Var out, const Tensor& cotangent, bool retain = false);
  /// For `count` losses, each given by its gradients at several values. The gradient of a parameter
  /// is the sum over the losses.
  void backward(const std::vector<Cotangent>& cotangents, std::int64_t count, bool retain);
  /// Forgets the gradients of everything but parameters.
  void reset_gradients();

  /// Forgets the step: rules, variables and the step arena.
  void clear();

 private:
  friend class OpScope;
  struct Rule {
    Var out;
    std::vector<Tensor> saved;
    std::function<void()> run;
    CotangentOrder order;
    const char* op;
  };
  void run(const Rule& rule);
  static constexpr std::int64_t kAll = -1;
  /// The part of a gradient that the rule which runs may see.
  Tensor visible(const Tensor& gradient) const;
  void free_gradient(Variable& v);

  Backend& backend_;
  Arena& step_;
  Arena& scratch_;
  Profiler* profiler_;   // or null
  const char* op_ = "";  // the one that computes
  std::deque<Variable> variables_;
  std::vector<Rule> rules_;
  bool training_ = false;
  std::uint64_t seed_ = 0;
  std::uint32_t step_number_ = 0;
  std::uint32_t next_site_ = 0;
  std::int64_t count_ = 1;    // losses of the backward pass that runs
  std::int64_t current_ = 0;  // the one whose cotangent a rule sees, or kAll
};

/// At the top of an op: what it computes and records from here on is its own, in profiles too. An
/// op called by an op is part of that one.
class OpScope {
 public:
  OpScope(Tape& tape, const char* op)
      : tape_(tape), outer_(tape.op_), time_(tape.profiler_, ProfilePass::kForward, op) {
    if (*outer_ == 0) tape.op_ = op;
  }
  ~OpScope() { tape_.op_ = outer_; }
  OpScope(const OpScope&) = delete;
  OpScope& operator=(const OpScope&) = delete;

 private:
  Tape& tape_;
  const char* outer_;
  ProfileScope time_;
};

}  // namespace cdt

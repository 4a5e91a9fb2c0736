#include "tests/support/op_case.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <optional>

#include "engine/backend.h"
#include "engine/bfloat16.h"
#include "tests/support/precision.h"
#include "tests/support/relative_error.h"
#include "tests/support/test_backend.h"

namespace cdt::test {
namespace {

constexpr std::uint64_t kSeed = 20240917;
constexpr std::uint32_t kStep = 3;
constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

Doubles fetch(Backend& backend, const Tensor& t) {
  const std::vector<float> host = to_host(backend, t);
  return {host.begin(), host.end()};
}

Tensor put(Backend& backend, Arena& arena, const Doubles& values, const Shape& shape,
           Dtype dtype = Dtype::kFloat32) {
  const std::vector<float> host(values.begin(), values.end());
  const Tensor t = arena.tensor(shape);
  backend.upload(t, host.data());
  return dtype == t.dtype ? t : as_activation(backend, arena, t);
}

// Values that the backend's types represent exactly, so that both sides start equal.
Doubles random_values(const Backend& backend, RandomStream& random, std::int64_t n) {
  const bool narrow = backend.activations() == Dtype::kBFloat16;
  Doubles v(static_cast<std::size_t>(n));
  for (double& x : v) {
    const auto normal = static_cast<float>(random.normal());
    x = static_cast<double>(narrow ? to_float(to_bfloat16(normal)) : normal);
  }
  return v;
}

/// Input number `i` of a case.
Variable make_input(Backend& backend, Arena& arena, const OpCase& c, std::size_t i,
                    const Doubles& values) {
  const Shape& shape = c.inputs[i];
  const bool activation = i < c.activations;
  const Dtype dtype = activation ? backend.activations() : Dtype::kFloat32;
  Variable v;
  v.value = put(backend, arena, values, shape, dtype);
  v.needs_grad = i < c.wanted;
  v.lasting = c.accumulate || i >= c.values;
  v.keep = !v.lasting;
  if (v.needs_grad && v.lasting) {
    const Doubles start(values.size(), c.accumulate ? 1.0 : 0.0);
    v.grad = put(backend, arena, start, shape, dtype);
  }
  if (!activation && backend.activations() != dtype) {
    v.rounded = as_activation(backend, arena, v.value);
  }
  return v;
}

/// Fills free memory of an arena with NaN, so that adding to a gradient that was never written, or
/// reading uninitialised memory, is detected.
void fill_with_nan(Backend& backend, Arena& arena) {
  constexpr std::int64_t kEnough = std::int64_t{1} << 20;  // floats; the largest case needs less
  backend.fill(arena.tensor({kEnough}), std::numeric_limits<float>::quiet_NaN());
  arena.reset();
}

double weighted_sum(const Doubles& y, const Doubles& weights) {
  double sum = 0.0;
  for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * weights[i];
  return sum;
}

Doubles difference_gradient(const OpCase& c, std::vector<Doubles> inputs, std::size_t which,
                            const Doubles& weights) {
  constexpr double kStepSize = 1e-6;
  Doubles gradient(inputs[which].size());
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    const double x = inputs[which][i];
    inputs[which][i] = x + kStepSize;
    const double up = weighted_sum(c.plain(inputs), weights);
    inputs[which][i] = x - kStepSize;
    const double down = weighted_sum(c.plain(inputs), weights);
    inputs[which][i] = x;
    gradient[i] = (up - down) / (2.0 * kStepSize);
  }
  return gradient;
}

/// The first of the inputs, at these addresses, that no op said it reads; their number if all are.
std::size_t first_unread(const Trace& trace, const std::vector<Tensor>& inputs) {
  const auto is_read = [&](const Tensor& input) {
    const auto reads = [&](const Trace::Input& read) { return read.tensor.data == input.data; };
    return std::any_of(trace.ops().begin(), trace.ops().end(), [&](const Trace::Op& op) {
      return std::any_of(op.inputs.begin(), op.inputs.end(), reads);
    });
  };
  const auto unread = std::find_if_not(inputs.begin(), inputs.end(), is_read);
  return static_cast<std::size_t>(unread - inputs.begin());
}

}  // namespace

double op_value_tolerance() { return tolerance(64.0 * kEpsilon, kOpValue); }

DropoutKey case_key(float p, std::uint32_t site) { return {kSeed, kStep, site, p}; }

std::string check_op(Backend& backend, const OpCase& c) {
  Arena lasting(backend, "lasting");
  Arena step(backend, "step");
  Arena scratch(backend, "scratch");
  for (Arena* arena : {&step, &scratch}) fill_with_nan(backend, *arena);
  RandomStream random(kSeed, 1);
  std::vector<Doubles> values;
  std::deque<Variable> inputs;
  std::vector<Var> vars;
  for (const Shape& shape : c.inputs) {
    values.push_back(random_values(backend, random, shape.count()));
    inputs.push_back(make_input(backend, lasting, c, vars.size(), values.back()));
    vars.push_back(&inputs.back());
  }
  std::optional<Trace> trace;
  Tape tape(backend, step, scratch);
  if (backend.profiler() != nullptr) tape.follow(&trace.emplace(*backend.profiler()));
  if (c.training) tape.train(kSeed, kStep);
  std::vector<Tensor> read;
  for (const Var v : vars) read.push_back(v->value);
  const Var y = c.engine(tape, vars);
  if (trace && first_unread(*trace, read) < read.size()) {
    return "input " + std::to_string(first_unread(*trace, read)) + " is not in the trace";
  }
  const Doubles want = c.plain(values);
  const Doubles got = fetch(backend, y->value);
  if (got.size() != want.size()) return "value: size " + std::to_string(got.size());
  double error = relative_error(got, want);
  if (!(error <= op_value_tolerance())) return "value: relative error " + std::to_string(error);
  const Doubles weights = random_values(backend, random, y->value.count());
  tape.backward(y, put(backend, lasting, weights, y->value.shape, y->value.dtype));
  for (std::size_t i = 0; i < std::min(vars.size(), c.wanted); ++i) {
    Doubles gradient = difference_gradient(c, values, i, weights);
    if (c.accumulate) {
      for (double& g : gradient) g += 1.0;
    }
    error = relative_error(fetch(backend, vars[i]->grad), gradient);
    if (!(error <= tolerance(512.0 * kEpsilon, kOpGradient))) {
      return "gradient of input " + std::to_string(i) + ": relative error " + std::to_string(error);
    }
  }
  return "";
}

}  // namespace cdt::test

#include "tests/support/op_case.h"

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>

namespace cdt::test {
namespace {

constexpr std::uint64_t kSeed = 20240917;
constexpr std::uint32_t kStep = 3;
constexpr double kEpsilon = std::numeric_limits<float>::epsilon();

double relative_error(const Doubles& got, const Doubles& want) {
  double error = 0.0;
  double norm = 0.0;
  for (std::size_t i = 0; i < want.size(); ++i) {
    error += (got[i] - want[i]) * (got[i] - want[i]);
    norm += want[i] * want[i];
  }
  if (!std::isfinite(error)) return std::numeric_limits<double>::infinity();
  return norm > 0.0 ? std::sqrt(error / norm) : std::sqrt(error);
}

Doubles fetch(Backend& backend, const Tensor& t) {
  std::vector<float> host(static_cast<std::size_t>(t.count()));
  backend.download(host.data(), t);
  return {host.begin(), host.end()};
}

Tensor put(Backend& backend, Arena& arena, const Doubles& values, const Shape& shape) {
  const std::vector<float> host(values.begin(), values.end());
  const Tensor t = arena.tensor(shape);
  backend.upload(t, host.data());
  return t;
}

// Values a float holds exactly, so both sides start equal.
Doubles random_values(RandomStream& random, std::int64_t n) {
  Doubles v(static_cast<std::size_t>(n));
  for (double& x : v) x = static_cast<double>(static_cast<float>(random.normal()));
  return v;
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

}  // namespace

DropoutKey case_key(float p, std::uint32_t site) { return {kSeed, kStep, site, p}; }

std::string check_op(Backend& backend, const OpCase& c) {
  Arena lasting(backend, "lasting", std::size_t{1} << 26U);
  Arena step(backend, "step", std::size_t{1} << 26U);
  Arena scratch(backend, "scratch", std::size_t{1} << 26U);
  RandomStream random(kSeed, 1);
  std::vector<Doubles> values;
  std::deque<Variable> parameters;
  std::vector<Var> vars;
  for (const Shape& shape : c.inputs) {
    values.push_back(random_values(random, shape.count()));
    const bool wanted = vars.size() < c.wanted;
    const Tensor grad = wanted ? lasting.tensor(shape) : Tensor{};
    // A parameter's gradient accumulates: start from ones to see that it does.
    if (wanted) backend.fill(grad, c.accumulate ? 1.0F : 0.0F);
    parameters.push_back({.value = put(backend, lasting, values.back(), shape),
                          .grad = grad,
                          .needs_grad = wanted,
                          .lasting = true});
    vars.push_back(&parameters.back());
  }
  Tape tape(backend, step, scratch);
  if (c.training) tape.train(kSeed, kStep);
  const Var y = c.engine(tape, vars);
  const Doubles want = c.plain(values);
  const Doubles got = fetch(backend, y->value);
  if (got.size() != want.size()) return "value: size " + std::to_string(got.size());
  double error = relative_error(got, want);
  if (!(error <= 64.0 * kEpsilon)) return "value: relative error " + std::to_string(error);
  const Doubles weights = random_values(random, y->value.count());
  tape.backward(y, put(backend, lasting, weights, y->value.shape));
  for (std::size_t i = 0; i < std::min(vars.size(), c.wanted); ++i) {
    Doubles gradient = difference_gradient(c, values, i, weights);
    if (c.accumulate) {
      for (double& g : gradient) g += 1.0;
    }
    error = relative_error(fetch(backend, vars[i]->grad), gradient);
    if (!(error <= 512.0 * kEpsilon)) {
      return "gradient of input " + std::to_string(i) + ": relative error " + std::to_string(error);
    }
  }
  return "";
}

}  // namespace cdt::test

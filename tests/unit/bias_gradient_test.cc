// The gradient of a bias that an op adds last is the column sums of its output gradient, whether
// the op's own rule or that of add_norm(), when it takes the output, computes them.
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <vector>

#include "engine/backend.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/precision.h"
#include "tests/support/relative_error.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

constexpr std::int64_t kBatch = 2, kRows = 7, kWidth = 24, kInner = 40;
constexpr float kP = 0.3F;
const double kTolerance = test::tolerance(64 * 0x1.0p-23, test::kOpValue);

struct Graph {
  Graph() {
    const Shape shapes[] = {{kWidth, kWidth}, {kWidth}, {kWidth},         {kWidth},
                            {kInner, kWidth}, {kInner}, {kWidth, kInner}, {kWidth}};
    for (const Shape& shape : shapes) {
      Variable& v = parameters.emplace_back();
      v.value = random(shape);
      v.lasting = v.needs_grad = true;
      v.grad = lasting.tensor(shape);
      if (backend->activations() != v.value.dtype) {
        v.rounded = test::as_activation(*backend, lasting, v.value);
      }
    }
    x_value = activation({kBatch, kRows, kWidth});
    cotangent = activation({kBatch, kRows, kWidth});
  }

  Tensor random(const Shape& shape) {
    const Tensor t = lasting.tensor(shape);
    std::vector<float> values(static_cast<std::size_t>(t.count()));
    for (float& value : values) value = static_cast<float>(draws.normal());
    backend->upload(t, values.data());
    return t;
  }
  Tensor activation(const Shape& shape) {
    return test::as_activation(*backend, lasting, random(shape));
  }

  Var parameter(std::size_t i) { return &parameters[i]; }
  Var branch(bool net) {
    if (!net) return linear(tape, x, parameter(0), parameter(1));
    return feed_forward(tape, x, {parameter(4), parameter(5), parameter(6), parameter(7)}, kP);
  }
  Var normalised(Var a) { return add_norm(tape, x, a, parameter(2), parameter(3), kP); }
  Var bias(bool net) { return parameter(net ? 7 : 1); }

  /// The bias gradient after one backward pass over the output of `ops`.
  std::vector<float> gradient(bool net, const std::function<std::vector<Cotangent>()>& ops) {
    tape.clear();
    tape.train(5, 2);
    for (Variable& v : parameters) backend->fill(v.grad, 0.0F);
    x = tape.input(x_value);
    tape.backward(ops(), 1, false);
    return to_host(*backend, bias(net)->grad);
  }

  std::unique_ptr<Backend> backend = test::make_test_backend();
  Arena lasting{*backend, "lasting"};
  Arena step{*backend, "step"};
  Arena scratch{*backend, "scratch"};
  Tape tape{*backend, step, scratch};
  RandomStream draws{3, 1};
  std::deque<Variable> parameters;
  Tensor x_value, cotangent;
  Var x = nullptr;
};

class BiasGradient : public ::testing::TestWithParam<bool> {};

// A value that is kept may have other readers, so its own op computes the sums.
TEST_P(BiasGradient, IsTheSameWhoeverSumsUp) {
  Graph g;
  const bool net = GetParam();
  Var branch = nullptr;
  const auto run = [&](bool keep) {
    return g.gradient(net, [&] {
      branch = g.branch(net);
      branch->keep = keep;
      return std::vector<Cotangent>{{g.normalised(branch), g.cotangent}};
    });
  };
  const std::vector<float> own = run(true);
  EXPECT_FALSE(branch->bias_summed);
  const std::vector<float> handed = run(false);
  EXPECT_LE(test::relative_error(handed, own), kTolerance);
}

// If the branch has another reader, the two parts of its gradient come from two passes.
TEST_P(BiasGradient, SumsOfTwoReadersAddUp) {
  Graph g;
  const bool net = GetParam();
  enum Readers { kFirst = 1, kSecond = 2 };
  const auto run = [&](int readers) {
    return g.gradient(net, [&] {
      const Var branch = g.branch(net);
      branch->keep = true;
      const Var other = gelu_dropout(g.tape, branch, 0.0F);
      const Var y = g.normalised(branch);
      std::vector<Cotangent> cotangents;
      if ((readers & kFirst) != 0) cotangents.push_back({other, g.cotangent});
      if ((readers & kSecond) != 0) cotangents.push_back({y, g.cotangent});
      return cotangents;
    });
  };
  std::vector<float> want = run(kFirst);
  const std::vector<float> second = run(kSecond);
  for (std::size_t i = 0; i < want.size(); ++i) want[i] += second[i];
  EXPECT_LE(test::relative_error(run(kFirst | kSecond), want), kTolerance);
}

INSTANTIATE_TEST_SUITE_P(, BiasGradient, ::testing::Bool(),
                         [](const auto& net) { return net.param ? "feed_forward" : "linear"; });

}  // namespace
}  // namespace cdt

// Backward passes with several cotangents at once against one pass for each.
#include <gtest/gtest.h>

#include <vector>

#include "engine/backend.h"
#include "engine/error.h"
#include "engine/ops.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

constexpr std::int64_t kRows = 13, kWidth = 12, kHeads = 3, kCount = 3;

/// Self-attention with a residual around it: values that feed two ops, and ops that handle all
/// cotangents at once (attention) or one at a time (the others).
struct Graph {
  explicit Graph(bool trainable) {
    for (Variable* v : {&weight, &bias, &gamma, &beta}) {
      const bool matrix = v == &weight;
      v->value = matrix ? lasting.tensor({3 * kWidth, kWidth})
                        : lasting.tensor({v == &bias ? 3 * kWidth : kWidth});
      v->lasting = true;
      v->needs_grad = trainable;
      if (trainable) v->grad = lasting.tensor(v->value.shape);
      fill(v->value);
      if (backend->activations() != v->value.dtype) v->rounded = rounded(v->value);
    }
    x_value = lasting.tensor({1, kRows, kWidth});
    fill(x_value);
    x_value = rounded(x_value);
    for (Tensor* c : {&cotangent_early, &cotangent_late}) {
      *c = lasting.tensor({kCount, kRows, kWidth});
      fill(*c);
      *c = rounded(*c);
    }
  }

  Tensor rounded(const Tensor& t) { return test::as_activation(*backend, lasting, t); }

  void fill(const Tensor& t) {
    std::vector<float> values(static_cast<std::size_t>(t.count()));
    for (float& value : values) value = static_cast<float>(draws.normal());
    backend->upload(t, values.data());
  }

  void run() {
    tape.clear();
    tape.eval();
    for (Variable* v : {&weight, &bias, &gamma, &beta}) {
      if (!v->grad.empty()) backend->fill(v->grad, 0.0F);
    }
    x = tape.input(x_value);
    const Var qkv = linear(tape, x, &weight, &bias);
    early = self_attention(tape, qkv, kHeads, 0.0F, 1);
    late = layer_norm(tape, residual(tape, x, dropout(tape, gelu_dropout(tape, early, 0.0F), 0, 1)),
                      &gamma, &beta);
  }

  std::unique_ptr<Backend> backend = test::make_test_backend();
  Arena lasting{*backend, "lasting"};
  Arena step{*backend, "step"};
  Arena scratch{*backend, "scratch"};
  Tape tape{*backend, step, scratch};
  RandomStream draws{3, 1};
  Variable weight, bias, gamma, beta;
  Tensor x_value, cotangent_early, cotangent_late;
  Var x = nullptr, early = nullptr, late = nullptr;
};

TEST(TapeCotangentsTest, EachGetsTheGradientOfItsOwnPass) {
  Graph g(false);
  g.run();
  g.tape.backward({{g.early, g.cotangent_early}, {g.late, g.cotangent_late}}, kCount, true);
  const std::vector<float> together = to_host(*g.backend, g.x->grad);
  ASSERT_EQ(g.x->grad.shape, (Shape{kCount, kRows, kWidth}));
  g.tape.reset_gradients();
  std::vector<float> apart;
  for (std::int64_t s = 0; s < kCount; ++s) {
    g.tape.backward(
        {{g.early, g.cotangent_early.slice(s, s + 1)}, {g.late, g.cotangent_late.slice(s, s + 1)}},
        1, true);
    const std::vector<float> one = to_host(*g.backend, g.x->grad);
    apart.insert(apart.end(), one.begin(), one.end());
    g.tape.reset_gradients();
  }
  EXPECT_EQ(together, apart);
}

TEST(TapeCotangentsTest, AParameterGetsTheSum) {
  Graph g(true);
  g.run();
  g.tape.backward({{g.late, g.cotangent_late}}, kCount, false);
  const std::vector<float> together = to_host(*g.backend, g.weight.grad);
  std::vector<double> sum(together.size(), 0.0);
  for (std::int64_t s = 0; s < kCount; ++s) {
    g.run();
    g.tape.backward({{g.late, g.cotangent_late.slice(s, s + 1)}}, 1, false);
    const std::vector<float> one = to_host(*g.backend, g.weight.grad);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += one[i];
  }
  for (std::size_t i = 0; i < sum.size(); ++i) EXPECT_NEAR(together[i], sum[i], 1e-4) << i;
}

TEST(TapeCotangentsTest, LeftOverGradientsOfAnotherCountAreRefused) {
  Graph g(false);
  g.run();
  g.tape.backward({{g.late, g.cotangent_late}}, kCount, true);
  EXPECT_THROW(g.tape.backward({{g.late, g.cotangent_late.slice(0, 1)}}, 1, true), Error);
}

}  // namespace
}  // namespace cdt

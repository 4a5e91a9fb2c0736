// AdamW against a float64 version written from the formulas, and clipping.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <limits>
#include <memory>
#include <vector>

#include "engine/optim/adamw.h"
#include "engine/random.h"
#include "tests/support/test_backend.h"

namespace cdt {
namespace {

/// One parameter in float64: decay, moments, bias-corrected step.
struct Twin {
  std::vector<double> w, m, v;
  explicit Twin(const std::vector<float>& start)
      : w(start.begin(), start.end()), m(start.size()), v(start.size()) {}
  void step(const std::vector<float>& g, double lr, double scale, double decay, int t) {
    for (std::size_t i = 0; i < w.size(); ++i) {
      const double grad = static_cast<double>(g[i]) * scale;
      w[i] *= 1.0 - lr * decay;
      m[i] = 0.9 * m[i] + 0.1 * grad;
      v[i] = 0.999 * v[i] + 0.001 * grad * grad;
      const double m_hat = m[i] / (1.0 - std::pow(0.9, t));
      const double v_hat = v[i] / (1.0 - std::pow(0.999, t));
      w[i] -= lr * m_hat / (std::sqrt(v_hat) + 1e-8);
    }
  }
};

class Optim : public ::testing::Test {
 protected:
  Var add(const Shape& shape) {
    variables.emplace_back();
    Variable& v = variables.back();
    v.value = lasting.tensor(shape);
    v.grad = lasting.tensor(shape);
    v.needs_grad = v.lasting = true;
    return &v;
  }
  std::vector<float> draw(std::int64_t n, double scale) {
    std::vector<float> out(static_cast<std::size_t>(n));
    for (float& x : out) x = static_cast<float>(random.normal() * scale);
    return out;
  }
  std::vector<float> read(const Tensor& t) const {
    std::vector<float> out(static_cast<std::size_t>(t.count()));
    backend->download(out.data(), t);
    return out;
  }

  std::unique_ptr<Backend> backend = test::make_test_backend();
  Arena lasting{*backend, "lasting"};
  std::deque<Variable> variables;
  RandomStream random{7, 1};
};

TEST_F(Optim, TenStepsEqualTheFloat64Twin) {
  const std::vector<Shape> shapes = {{7, 5}, {1, 1, 3}, {1}, {129}};
  std::vector<Var> parameters;
  std::vector<Twin> twins;
  for (const Shape& shape : shapes) {
    parameters.push_back(add(shape));
    const std::vector<float> start = draw(shape.count(), 0.5);
    backend->upload(parameters.back()->value, start.data());
    twins.emplace_back(start);
  }
  AdamWOptions options;
  options.weight_decay = 0.01;
  AdamW optimiser(parameters, *backend, lasting, options);
  for (int t = 1; t <= 10; ++t) {
    const double lr = t <= 5 ? 1e-2 : 5e-3;
    constexpr double kMaxNorm = 0.4;
    std::vector<std::vector<float>> gradients;
    double squares = 0.0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      const std::vector<float> g = draw(shapes[i].count(), 0.1);
      backend->upload(parameters[i]->grad, g.data());
      for (const float x : g) squares += static_cast<double>(x) * static_cast<double>(x);
      gradients.push_back(g);
    }
    const double factor = kMaxNorm / (std::sqrt(squares) + 1e-6);
    ASSERT_LT(factor, 1.0);
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      twins[i].step(gradients[i], lr, factor, options.weight_decay, t);
    }
    optimiser.step(lr, kMaxNorm);
  }
  EXPECT_EQ(optimiser.steps(), 10);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::vector<float> got = read(parameters[i]->value);
    for (std::size_t j = 0; j < got.size(); ++j) {
      // Per step, a rounding of w and of an update of at most about 3 lr through 10 operations.
      const double bound = 10 * 0x1p-24 * (2.0 * std::abs(twins[i].w[j]) + 10 * 3e-2);
      EXPECT_NEAR(got[j], twins[i].w[j], bound) << "parameter " << i << " element " << j;
    }
  }
}

TEST_F(Optim, GroupsHaveTheirOwnRates) {
  const std::vector<AdamWFactors> factors = {{}, {1.0, 0.0}, {0.1, 1.0}, {}, {1.0, 0.0}};
  AdamWOptions options;
  options.weight_decay = 0.5;
  std::vector<Var> parameters;
  std::vector<Twin> twins;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    parameters.push_back(add({7}));
    const std::vector<float> start = draw(7, 0.5);
    backend->upload(parameters.back()->value, start.data());
    twins.emplace_back(start);
  }
  AdamW optimiser(parameters, *backend, lasting, options, factors);
  for (int t = 1; t <= 3; ++t) {
    for (std::size_t i = 0; i < factors.size(); ++i) {
      const std::vector<float> g = draw(7, 0.1);
      backend->upload(parameters[i]->grad, g.data());
      twins[i].step(g, 1e-2 * factors[i].lr, 1.0, options.weight_decay * factors[i].decay, t);
    }
    optimiser.step(1e-2, 0.0);
  }
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const std::vector<float> got = read(parameters[i]->value);
    for (std::size_t j = 0; j < got.size(); ++j) {
      const double bound = 3 * 0x1p-24 * (2.0 * std::abs(twins[i].w[j]) + 10 * 3e-2);
      EXPECT_NEAR(got[j], twins[i].w[j], bound) << "parameter " << i << " element " << j;
    }
  }
}

TEST_F(Optim, WithoutGradientMomentumAndDecayStillMove) {
  const Var w = add({2});
  const std::vector<float> start = {1.0F, 1.0F};
  const std::vector<float> first = {0.3F, 0.0F};
  const std::vector<float> none = {0.0F, 0.0F};
  backend->upload(w->value, start.data());
  AdamWOptions options;
  options.weight_decay = 0.1;
  AdamW optimiser({w}, *backend, lasting, options);
  backend->upload(w->grad, first.data());
  optimiser.step(0.01, 0.0);
  const std::vector<float> after_one = read(w->value);
  backend->upload(w->grad, none.data());
  optimiser.step(0.01, 0.0);
  const std::vector<float> after_two = read(w->value);
  EXPECT_LT(after_two[0], after_one[0] * 0.9995F);        // momentum
  EXPECT_NEAR(after_two[1], 0.999 * 0.999, 4 * 0x1p-24);  // decay only, in closed form
}

TEST_F(Optim, ZeroLearningRateLeavesWeightsBitEqual) {
  const Var w = add({33});
  const std::vector<float> start = draw(33, 1.0);
  const std::vector<float> g = draw(33, 1.0);
  backend->upload(w->value, start.data());
  backend->upload(w->grad, g.data());
  AdamW optimiser({w}, *backend, lasting, AdamWOptions{});
  optimiser.step(0.0, 1.0);
  EXPECT_EQ(read(w->value), start);
}

TEST_F(Optim, NormIsOverAllParametersInFloat64) {
  const Var a = add({2});
  const Var b = add({3});
  // The squares of 1e25 overflow float32.
  const std::vector<float> big = {3e25F, 0.0F};
  const std::vector<float> more = {0.0F, 4e25F, 0.0F};
  backend->upload(a->grad, big.data());
  backend->upload(b->grad, more.data());
  AdamW optimiser({a, b}, *backend, lasting, AdamWOptions{});
  optimiser.step(0.0, 1.0);
  const std::vector<float> norm_and_factor = read(optimiser.norm_and_factor());
  EXPECT_NEAR(norm_and_factor[0] / 5e25, 1.0, 1e-7);
  EXPECT_NEAR(norm_and_factor[1] * 5e25, 1.0, 1e-6);
}

TEST_F(Optim, ANormThatIsNotFiniteChangesNothing) {
  const Var w = add({5});
  const std::vector<float> start = draw(5, 1.0);
  std::vector<float> g = draw(5, 1.0);
  g[3] = std::numeric_limits<float>::quiet_NaN();
  backend->upload(w->value, start.data());
  backend->upload(w->grad, g.data());
  AdamW optimiser({w}, *backend, lasting, AdamWOptions{});
  optimiser.step(0.1, 1.0);
  EXPECT_EQ(read(w->value), start);
  EXPECT_EQ(read(optimiser.first_moment(0)), std::vector<float>(5, 0.0F));
  EXPECT_TRUE(std::isnan(read(optimiser.norm_and_factor())[0]));
}

TEST(ClipFactor, FollowsTheReference) {
  EXPECT_EQ(clip_factor(0.5, 1.0), 1.0F);
  EXPECT_EQ(clip_factor(0.0, 1.0), 1.0F);
  EXPECT_EQ(clip_factor(1.0, 1.0), static_cast<float>(1.0 / (1.0 + 1e-6)));
  EXPECT_EQ(clip_factor(4.0, 1.0), static_cast<float>(1.0 / (4.0 + 1e-6)));
  EXPECT_EQ(clip_factor(4.0, 0.0), 1.0F);
}

}  // namespace
}  // namespace cdt

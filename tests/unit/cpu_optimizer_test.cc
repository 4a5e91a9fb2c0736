#include <gtest/gtest.h>

#include "tests/support/cpu_kernels.h"

namespace cdt {
namespace {

using test::CpuKernels;
using test::expect_near;
using test::kEps;

TEST(CpuLoss, HuberOnBothSidesOfDelta) {
  CpuKernels on;
  for (const float delta : {0.25F, 1.0F}) {
    const Tensor prediction = on.random({7}, 1);
    const Tensor target = on.random({7}, 2);
    double want = 0.0;
    std::vector<double> slope;
    for (std::int64_t b = 0; b < 7; ++b) {
      const double d = double{prediction.data[b]} - double{target.data[b]};
      const double size = std::abs(d);
      want += size <= delta ? 0.5 * d * d : delta * (size - 0.5 * delta);
      slope.push_back(3.0 / 7.0 * (size <= delta ? d : std::copysign(double{delta}, d)));
    }
    const Tensor loss = on.filled({1}, NAN);
    on.backend.huber(prediction, target, {}, delta, loss);
    EXPECT_NEAR(loss.data[0], want / 7.0, kEps);
    const Tensor d = on.filled({7}, NAN);
    on.backend.huber_backward(prediction, target, {}, delta, on.filled({1}, 3.0F), d);
    expect_near(d, slope, kEps, "huber_backward");
  }
}

TEST(CpuLoss, WeightsMultiplyEachSample) {
  CpuKernels on;
  const Tensor prediction = on.random({7}, 1), target = on.random({7}, 2);
  const Tensor weight = on.filled({7}, 0.5F), ones = on.filled({7}, 1.0F);
  weight.data[3] = 4.0F;
  const Tensor loss = on.filled({1}, NAN), plain = on.filled({1}, NAN);
  const Tensor d = on.filled({7}, NAN), plain_d = on.filled({7}, NAN);
  const Tensor dloss = on.filled({1}, 3.0F);
  on.backend.huber(prediction, target, {}, 0.7F, plain);
  on.backend.huber_backward(prediction, target, {}, 0.7F, dloss, plain_d);
  on.backend.huber(prediction, target, ones, 0.7F, loss);
  on.backend.huber_backward(prediction, target, ones, 0.7F, dloss, d);
  EXPECT_EQ(loss.data[0], plain.data[0]);
  for (std::int64_t b = 0; b < 7; ++b) EXPECT_EQ(d.data[b], plain_d.data[b]);
  on.backend.huber(prediction, target, weight, 0.7F, loss);
  on.backend.huber_backward(prediction, target, weight, 0.7F, dloss, d);
  double want = 0.0;
  for (std::int64_t b = 0; b < 7; ++b) {
    const Tensor one = on.filled({1}, NAN);
    on.backend.huber(prediction.slice(b, b + 1), target.slice(b, b + 1), {}, 0.7F, one);
    want += double{weight.data[b]} * one.data[0] / 7.0;
    EXPECT_NEAR(d.data[b], weight.data[b] * plain_d.data[b], 4 * kEps);
  }
  EXPECT_NEAR(loss.data[0], want, 4 * kEps);
}

TEST(CpuLoss, SelectAndItsGradient) {
  CpuKernels on;
  const Tensor x = on.random({3, 11}, 1);
  const std::int32_t index[] = {10, 0, 4};
  const Tensor out = on.filled({3}, NAN);
  const Tensor columns = on.arena.tensor({3}, Dtype::kInt32);
  on.backend.upload(columns, index);
  on.backend.select(x, columns, out);
  const Tensor dx = on.filled({3, 11}, NAN);
  on.backend.select_backward(out, columns, dx);
  for (std::int64_t b = 0; b < 3; ++b) {
    EXPECT_EQ(out.data[b], x.data[b * 11 + index[b]]);
    for (std::int64_t g = 0; g < 11; ++g) {
      EXPECT_EQ(dx.data[b * 11 + g], g == index[b] ? out.data[b] : 0.0F);
    }
  }
}

void update_once(CpuKernels& on, const AdamWTensors& tensors, const AdamWStep& step, float factor) {
  const AdamWRates rates = adamw_rates(step);
  const float clip[] = {1.0F, factor};
  const Scratch rates_there(on.scratch, {8});
  const Scratch clip_there(on.scratch, {2});
  on.backend.upload(*rates_there, &rates);
  on.backend.upload(*clip_there, clip);
  on.backend.adamw({&tensors, 1}, *rates_there, *clip_there);
}

TEST(CpuAdamW, TenStepsAgainstFloat64) {
  CpuKernels on;
  constexpr std::int64_t kCount = 16387;
  const Tensor w = on.random({kCount}, 1);
  const Tensor m = on.filled({kCount}, 0.0F);
  const Tensor v = on.filled({kCount}, 0.0F);
  std::vector<double> want(w.data, w.data + kCount);
  std::vector<double> first(want.size(), 0.0);
  std::vector<double> second(want.size(), 0.0);
  AdamWStep s;
  s.lr = 1e-2F;
  s.beta1 = 0.9F;
  s.beta2 = 0.999F;
  s.eps = 1e-8F;
  s.weight_decay = 0.1F;
  for (int step = 1; step <= 10; ++step) {
    const Tensor g = on.random({kCount}, 10 + static_cast<std::uint64_t>(step));
    s.bias_correction1 = 1.0 - std::pow(double{s.beta1}, step);
    s.bias_correction2 = 1.0 - std::pow(double{s.beta2}, step);
    update_once(on, {w, g, m, v, {}}, s, 0.5F);
    for (std::size_t i = 0; i < want.size(); ++i) {
      const double grad = 0.5 * g.data[i];
      first[i] = double{s.beta1} * first[i] + (1.0 - double{s.beta1}) * grad;
      second[i] = double{s.beta2} * second[i] + (1.0 - double{s.beta2}) * grad * grad;
      want[i] *= 1.0 - double{s.lr} * double{s.weight_decay};
      want[i] -= double{s.lr} * (first[i] / s.bias_correction1) /
                 (std::sqrt(second[i] / s.bias_correction2) + double{s.eps});
    }
    on.arena.give_back(g);
  }
  // ten roundings of w <= 1.1 and of ten steps <= lr
  expect_near(w, want, 10 * kEps * 1.2, "w");
}

}  // namespace
}  // namespace cdt

#include <gtest/gtest.h>

#include "tests/support/cpu_kernels.h"

namespace cdt {
namespace {

using test::CpuKernels;
using test::expect_near;
using test::kEps;
using test::values;

struct Oracle {
  std::vector<double> y, normal, scale;
};

Oracle normalise(const Tensor& x, const Tensor& gamma, const Tensor& beta) {
  Oracle out;
  for (std::int64_t r = 0; r < x.rows(); ++r) {
    const float* row = x.data + r * x.cols();
    double mean = 0.0;
    for (std::int64_t i = 0; i < x.cols(); ++i) mean += row[i];
    mean /= static_cast<double>(x.cols());
    double variance = 0.0;
    for (std::int64_t i = 0; i < x.cols(); ++i) variance += (row[i] - mean) * (row[i] - mean);
    const double scale = 1.0 / std::sqrt(variance / static_cast<double>(x.cols()) + 1e-5);
    out.scale.push_back(scale);
    for (std::int64_t i = 0; i < x.cols(); ++i) {
      out.normal.push_back((row[i] - mean) * scale);
      out.y.push_back(out.normal.back() * gamma.data[i] + beta.data[i]);
    }
  }
  return out;
}

TEST(CpuLayerNorm, ForwardAndBackwardAtOddSizes) {
  for (const auto& [rows, cols] : {std::pair<std::int64_t, std::int64_t>{1, 1},
                                   {3, 2},
                                   {5, 33},
                                   {70, 17},
                                   {131, 96},
                                   {2, 769}}) {
    SCOPED_TRACE(::testing::Message() << rows << "x" << cols);
    CpuKernels on;
    const Tensor x = on.random({rows, cols}, 1);
    const Tensor gamma = on.random({cols}, 2);
    const Tensor beta = on.random({cols}, 3);
    const Tensor y = on.filled({rows, cols}, NAN);
    const Tensor stats = on.filled({rows, 2}, NAN);
    on.backend.layer_norm(x, gamma, beta, y, stats);
    const Oracle want = normalise(x, gamma, beta);
    double scale = 1.0;
    for (const double s : want.scale) scale = std::max(scale, s);
    expect_near(y, want.y, 16 * kEps * scale, "y");

    const Tensor dy = on.random({rows, cols}, 4);
    const Tensor dgamma = on.filled({cols}, 0.5F);
    const Tensor dbeta = on.filled({cols}, -0.5F);
    std::vector<double> dx;
    std::vector<double> want_gamma(static_cast<std::size_t>(cols), 0.5);
    std::vector<double> want_beta(static_cast<std::size_t>(cols), -0.5);
    const auto n = static_cast<double>(cols);
    for (std::int64_t r = 0; r < rows; ++r) {
      double sum = 0.0;
      double dot = 0.0;
      for (std::int64_t i = 0; i < cols; ++i) {
        const double normal = want.normal[static_cast<std::size_t>(r * cols + i)];
        const double d = dy.data[r * cols + i];
        want_gamma[static_cast<std::size_t>(i)] += d * normal;
        want_beta[static_cast<std::size_t>(i)] += d;
        sum += d * gamma.data[i];
        dot += d * gamma.data[i] * normal;
      }
      for (std::int64_t i = 0; i < cols; ++i) {
        dx.push_back(want.scale[static_cast<std::size_t>(r)] *
                     (double{dy.data[r * cols + i]} * gamma.data[i] - sum / n -
                      want.normal[static_cast<std::size_t>(r * cols + i)] * dot / n));
      }
    }
    on.backend.layer_norm_backward(x, gamma, stats, dy, dy, dgamma, dbeta);  // in place: dx is dy
    expect_near(dy, dx, 64 * kEps * scale * scale, "dx");
    expect_near(dgamma, want_gamma, kEps * 2 * static_cast<double>(rows) * scale + 1e-6, "dgamma");
    expect_near(dbeta, want_beta, kEps * 2 * static_cast<double>(rows), "dbeta");
  }
}

TEST(CpuLayerNorm, WhatIsNotWantedIsLeftOut) {
  CpuKernels on;
  const Tensor x = on.random({5, 20}, 1);
  const Tensor gamma = on.random({20}, 2);
  const Tensor beta = on.random({20}, 3);
  const Tensor y = on.filled({5, 20}, 0.0F);
  const Tensor stats = on.filled({5, 2}, 0.0F);
  on.backend.layer_norm(x, gamma, beta, y, stats);
  const Tensor dy = on.random({5, 20}, 4);
  const Tensor dx = on.filled({5, 20}, 0.0F);
  const Tensor both = on.filled({5, 20}, 0.0F);
  const Tensor dgamma = on.filled({20}, 0.0F);
  const Tensor dbeta = on.filled({20}, 0.0F);
  const Tensor alone = on.filled({20}, 0.0F);
  on.backend.layer_norm_backward(x, gamma, stats, dy, both, dgamma, dbeta);
  on.backend.layer_norm_backward(x, gamma, stats, dy, dx, {}, {});
  on.backend.layer_norm_backward(x, gamma, stats, dy, {}, {}, alone);
  EXPECT_EQ(test::values(dx), test::values(both));
  EXPECT_EQ(test::values(alone), test::values(dbeta));
}

TEST(CpuLayerNorm, LargeMeanKeepsItsVariance) {
  CpuKernels on;
  const Tensor x = on.random({1, 768}, 1);
  for (std::int64_t i = 0; i < 768; ++i) x.data[i] += 1000.0F;
  const Tensor y = on.filled({1, 768}, 0.0F);
  const Tensor stats = on.filled({1, 2}, 0.0F);
  const Tensor gamma = on.filled({768}, 1.0F);
  const Tensor beta = on.filled({768}, 0.0F);
  on.backend.layer_norm(x, gamma, beta, y, stats);
  // The mean may be off by an ulp of 1000 (6.1e-5), which shifts every y by 1.1e-4.
  expect_near(y, normalise(x, gamma, beta).y, 2e-4, "y");
}

// The gradient of add_norm equals the gradients of its parts in sequence: the norm, then both
// terms.
TEST(CpuLayerNorm, AddNormBackward) {
  CpuKernels on;
  const std::int64_t rows = 6;
  const std::int64_t cols = 67;
  const DropoutKey key{7, 3, 1, 0.3F};
  const Tensor sum = on.random({rows, cols}, 1);
  const Tensor gamma = on.random({cols}, 2);
  const Tensor stats = on.random({rows, 2}, 3);
  for (const std::int64_t x_rows : {rows, rows / 2}) {
    for (const bool add : {false, true}) {
      const auto dx = [&] { return on.filled({x_rows, cols}, add ? 1.0F : NAN); };
      const auto da = [&] { return on.filled({rows, cols}, add ? 1.0F : NAN); };
      const auto weights = [&] { return on.filled({cols}, 0.5F); };
      const AddNormBackward g{.sum = sum,
                              .gamma = gamma,
                              .stats = stats,
                              .dy = on.random({rows, cols}, 4),
                              .dropout = key,
                              .dx = dx(),
                              .add_dx = add,
                              .da = da(),
                              .add_da = add,
                              .dgamma = weights(),
                              .dbeta = weights(),
                              .dbias = add ? Tensor{} : weights()};
      on.backend.add_norm_backward(g);
      const Tensor ds = on.random({rows, cols}, 4);
      const Tensor want_dx = dx();
      const Tensor want_da = da();
      const Tensor dgamma = weights();
      const Tensor dbeta = weights();
      const Tensor dbias = weights();
      on.backend.layer_norm_backward(sum, gamma, stats, ds, ds, dgamma, dbeta);
      on.backend.dropout_backward(ds, kNoDropout, want_dx, add);
      on.backend.dropout_backward(ds, key, want_da, add);
      on.backend.column_sum(want_da, dbias, true);
      EXPECT_EQ(values(g.dx), values(want_dx));
      EXPECT_EQ(values(g.da), values(want_da));
      EXPECT_EQ(values(g.dgamma), values(dgamma));
      EXPECT_EQ(values(g.dbeta), values(dbeta));
      if (!add) {
        EXPECT_EQ(values(g.dbias), values(dbias));
      }
    }
  }
}

}  // namespace
}  // namespace cdt

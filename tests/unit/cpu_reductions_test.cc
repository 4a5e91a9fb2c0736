#include <gtest/gtest.h>

#include "tests/support/cpu_kernels.h"

namespace cdt {
namespace {

using test::CpuKernels;
using test::expect_near;
using test::kEps;

TEST(CpuReductions, ColumnSum) {
  for (const std::int64_t rows : {1, 15, 16, 65, 1100}) {
    for (const std::int64_t cols : {1, 3, 48, 261}) {
      CpuKernels on;
      const Tensor x = on.random({rows, cols}, 1);
      const Tensor out = on.filled({cols}, 2.0F);
      std::vector<double> want(static_cast<std::size_t>(cols), 0.0);
      for (std::int64_t i = 0; i < x.count(); ++i) {
        want[static_cast<std::size_t>(i % cols)] += x.data[i];
      }
      const double tolerance = kEps * static_cast<double>(rows + 2);
      on.backend.column_sum(x, out, false);
      expect_near(out, want, tolerance, "column_sum");
      on.backend.column_sum(x, out, true);
      for (double& w : want) w *= 2.0;
      expect_near(out, want, 3 * tolerance, "column_sum, accumulated");
    }
  }
}

TEST(CpuReductions, SumOfSquaresIsFloat64) {
  CpuKernels on;
  for (const std::int64_t n : {1, 31, 32, 65537, 200003}) {
    const Tensor x = on.random({n}, 1);
    double want = 0.0;
    for (std::int64_t i = 0; i < n; ++i) want += double{x.data[i]} * double{x.data[i]};
    EXPECT_NEAR(on.backend.sum_of_squares(x), want, want * 1e-13 * std::sqrt(n));
  }
}

TEST(CpuReductions, RowDotSqrt) {
  CpuKernels on;
  const Tensor a = on.random({9, 771}, 1);
  const Tensor b = on.random({9, 771}, 2);
  const Tensor out = on.filled({9}, NAN);
  std::vector<double> want;
  for (std::int64_t r = 0; r < 9; ++r) {
    double dot = 0.0;
    for (std::int64_t i = 0; i < 771; ++i) {
      dot += double{a.data[r * 771 + i]} * double{b.data[r * 771 + i]};
    }
    want.push_back(std::sqrt(std::max(0.0, dot)));
  }
  on.backend.row_dot_sqrt(a, b, out);
  expect_near(out, want, 32 * kEps, "row_dot_sqrt");
}

TEST(CpuSoftmax, ForwardAndBackward) {
  const DropoutKey key{3, 1, 4, 0.25F};
  for (const std::int64_t cols : {1, 7, 16, 67, 300}) {
    CpuKernels on;
    const Tensor x = on.random({5, cols}, 1);
    for (std::int64_t i = 0; i < x.count(); ++i) x.data[i] *= 20.0F;
    std::vector<double> p;
    std::vector<double> dropped;
    std::vector<double> ds;
    const Tensor dp = on.random({5, cols}, 2);
    for (std::int64_t r = 0; r < 5; ++r) {
      double max = -INFINITY;
      double sum = 0.0;
      double dot = 0.0;
      for (std::int64_t i = 0; i < cols; ++i) max = std::max<double>(max, x.data[r * cols + i]);
      for (std::int64_t i = 0; i < cols; ++i) sum += std::exp(x.data[r * cols + i] - max);
      std::vector<double> up;
      for (std::int64_t i = 0; i < cols; ++i) {
        const double mask =
            dropout_factor(key, static_cast<std::uint32_t>(r), static_cast<std::uint32_t>(i));
        p.push_back(std::exp(x.data[r * cols + i] - max) / sum);
        dropped.push_back(p.back() * mask);
        up.push_back(dp.data[r * cols + i] * mask);
        dot += p.back() * up.back();
      }
      for (std::int64_t i = 0; i < cols; ++i) {
        const auto at = static_cast<std::size_t>(i);
        ds.push_back(p[static_cast<std::size_t>(r * cols + i)] * (up[at] - dot));
      }
    }
    const Tensor masked = on.filled({5, cols}, NAN);
    on.backend.softmax_dropout(x, key, masked);
    const double tolerance = kEps * (8.0 + static_cast<double>(cols));
    expect_near(x, p, tolerance, "softmax");
    expect_near(masked, dropped, 2 * tolerance, "softmax, dropped");
    on.backend.softmax_dropout_backward(x, dp, key, dp);  // ds is dp
    expect_near(dp, ds, 8 * tolerance, "softmax_dropout_backward");
  }
}

}  // namespace
}  // namespace cdt

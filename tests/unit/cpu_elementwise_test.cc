#include <gtest/gtest.h>

#include "tests/support/cpu_kernels.h"

namespace cdt {
namespace {

using test::CpuKernels;
using test::expect_near;
using test::kEps;
using test::values;

constexpr std::int64_t kColumns[] = {1, 15, 16, 67, 129};
const DropoutKey kDrop{99, 5, 2, 0.3F};

double gelu64(double x) { return 0.5 * x * std::erfc(-x * std::sqrt(0.5)); }
double gelu_derivative64(double x) {
  return 0.5 * std::erfc(-x * std::sqrt(0.5)) + x * std::exp(-0.5 * x * x) / std::sqrt(2 * M_PI);
}
double factor(const DropoutKey& key, std::int64_t row, std::int64_t col) {
  return dropout_factor(key, static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(col));
}

/// want[r, c] = f(r, c) over (rows, cols).
template <class F>
std::vector<double> table(std::int64_t rows, std::int64_t cols, const F& f) {
  std::vector<double> out;
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t c = 0; c < cols; ++c) out.push_back(f(r, c));
  }
  return out;
}

TEST(CpuElementwise, AddTo) {
  CpuKernels on;
  const Tensor out = on.random({3, 20001}, 1);
  const Tensor a = on.random({3, 20001}, 2);
  const std::vector<float> before = values(out);
  on.backend.add_to(out, a);
  for (std::size_t i = 0; i < before.size(); ++i) ASSERT_EQ(out.data[i], before[i] + a.data[i]);
}

TEST(CpuElementwise, ZeroRows) {
  CpuKernels on;
  const Tensor x = on.random({2, 3, 67}, 1);
  const std::vector<float> before = values(x);
  const Tensor keep = on.filled({6}, 1.25F);
  keep.data[0] = keep.data[4] = 0.0F;
  on.backend.zero_rows(keep, x);
  for (std::size_t i = 0; i < before.size(); ++i) {
    ASSERT_EQ(x.data[i], i / 67 == 0 || i / 67 == 4 ? 0.0F : before[i]) << i;
  }
}

TEST(CpuElementwise, DropoutRepeatsASharedInput) {
  CpuKernels on;
  for (const std::int64_t cols : kColumns) {
    for (const DropoutKey& key : {kDrop, DropoutKey{}}) {
      const Tensor x = on.random({1, 5, cols}, 1);
      const Tensor y = on.filled({3, 5, cols}, NAN);
      on.backend.dropout(x, key, y);
      expect_near(
          y,
          table(15, cols,
                [&](auto r, auto c) { return x.data[r % 5 * cols + c] * factor(key, r, c); }),
          kEps * 2, "dropout");
    }
  }
}

TEST(CpuElementwise, DropoutBackwardSumsTheBatch) {
  CpuKernels on;
  for (const std::int64_t cols : kColumns) {
    for (const bool accumulate : {false, true}) {
      const Tensor dy = on.random({3, 5, cols}, 1);
      const Tensor dx = on.random({1, 5, cols}, 2);
      const std::vector<float> before = values(dx);
      on.backend.dropout_backward(dy, kDrop, dx, accumulate);
      expect_near(dx,
                  table(5, cols,
                        [&](auto r, auto c) {
                          double sum =
                              accumulate ? before[static_cast<std::size_t>(r * cols + c)] : 0.0;
                          for (std::int64_t b = 0; b < 3; ++b) {
                            sum += dy.data[(b * 5 + r) * cols + c] * factor(kDrop, b * 5 + r, c);
                          }
                          return sum;
                        }),
                  kEps * 8, "dropout_backward");
    }
  }
}

TEST(CpuElementwise, GeluDropout) {
  CpuKernels on;
  for (const std::int64_t cols : kColumns) {
    const Tensor x = on.random({7, cols}, 1);
    for (std::int64_t i = 0; i < x.count(); ++i) x.data[i] *= 4.0F;
    const Tensor y = on.filled({7, cols}, NAN);
    on.backend.gelu_dropout(x, kDrop, 11, y);
    expect_near(y,
                table(7, cols,
                      [&](auto r, auto c) {
                        return gelu64(x.data[r * cols + c]) * factor(kDrop, 11 + r, c);
                      }),
                kEps * 16, "gelu_dropout");
    on.backend.gelu_dropout(x, kDrop, 11, x);  // in place
    EXPECT_EQ(values(x), values(y));
  }
}

TEST(CpuElementwise, GeluDropoutBackward) {
  CpuKernels on;
  for (const std::int64_t cols : kColumns) {
    const Tensor x = on.random({7, cols}, 1);
    const Tensor dy = on.random({7, cols}, 2);
    for (std::int64_t i = 0; i < x.count(); ++i) x.data[i] *= 4.0F;
    const Tensor dx = on.filled({7, cols}, NAN);
    on.backend.gelu_dropout_backward(x, dy, kDrop, 11, dx, {}, {});
    expect_near(dx,
                table(7, cols,
                      [&](auto r, auto c) {
                        return gelu_derivative64(x.data[r * cols + c]) * dy.data[r * cols + c] *
                               factor(kDrop, 11 + r, c);
                      }),
                kEps * 8, "gelu_dropout_backward");
    const Tensor h = on.filled({7, cols}, NAN);
    const Tensor value = on.filled({7, cols}, NAN);
    const Tensor dbias = on.filled({cols}, 0.5F);
    const Tensor sums = on.filled({cols}, 0.5F);
    on.backend.gelu_dropout_backward(x, dy, kDrop, 11, dy, h, dbias);  // in place
    EXPECT_EQ(values(dy), values(dx));
    on.backend.gelu_dropout(x, kDrop, 11, value);
    EXPECT_EQ(values(h), values(value));
    on.backend.column_sum(dx, sums, true);
    EXPECT_EQ(values(dbias), values(sums));
  }
}

TEST(CpuElementwise, ResidualDropout) {
  CpuKernels on;
  for (const std::int64_t cols : kColumns) {
    const Tensor x = on.random({1, 5, cols}, 1);
    const Tensor a = on.random({2, 5, cols}, 2);
    const std::vector<float> before = values(a);
    on.backend.residual_dropout(x, kDrop, a);
    expect_near(a,
                table(10, cols,
                      [&](auto r, auto c) {
                        return x.data[r % 5 * cols + c] +
                               before[static_cast<std::size_t>(r * cols + c)] * factor(kDrop, r, c);
                      }),
                kEps * 4, "residual_dropout");
  }
}

TEST(CpuElementwise, CopiesBothWays) {
  CpuKernels on;
  const Tensor x = on.random({300, 1001}, 1);
  const Tensor y = on.filled({300, 1001}, 0.0F);
  on.backend.copy(y, x);
  EXPECT_EQ(values(y), values(x));
  std::vector<float> host(static_cast<std::size_t>(x.count()));
  on.backend.download(host.data(), x);
  EXPECT_EQ(host, values(x));
  on.backend.fill(y, 0.0F);
  on.backend.upload(y, host.data());
  EXPECT_EQ(values(y), values(x));
}

TEST(CpuElementwise, ColumnsArePutAndTaken) {
  CpuKernels on;
  for (const std::int64_t rows : {1, 3}) {
    const Tensor x = on.random({rows, 5}, 1);
    const Tensor y = on.random({3, 9}, 2);
    const std::vector<float> before = values(y);
    on.backend.put_columns(x, 2, y);
    for (std::int64_t i = 0; i < y.count(); ++i) {
      const std::int64_t c = i % 9 - 2;
      const bool inside = c >= 0 && c < 5;
      EXPECT_EQ(y.data[i], inside ? x.data[i / 9 % rows * 5 + c] : before[static_cast<size_t>(i)]);
    }
    const Tensor dx = on.filled({rows, 5}, NAN);
    on.backend.take_columns(y, 2, dx, false);
    on.backend.take_columns(y, 2, dx, true);
    const auto share = static_cast<float>(6 / rows);  // every row occurs twice
    for (std::int64_t i = 0; i < dx.count(); ++i) {
      EXPECT_NEAR(dx.data[i], share * x.data[i], 1e-6F * std::fabs(share * x.data[i]));
    }
  }
}

}  // namespace
}  // namespace cdt

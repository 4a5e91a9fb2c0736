#include <gtest/gtest.h>

#include "tests/support/cpu_kernels.h"

namespace cdt {
namespace {

using test::CpuKernels;

struct Case {
  std::int64_t m, n, k;
  std::int64_t batch = 1;
};

/// Random g.a, g.b, g.c with padded leading dimensions; the expected result in float64.
void check(const Case& s, bool trans_a, bool trans_b, float beta, bool with_bias) {
  CpuKernels on;
  Gemm g;
  g.trans_a = trans_a;
  g.trans_b = trans_b;
  g.m = s.m;
  g.n = s.n;
  g.k = s.k;
  g.alpha = 0.75F;
  g.beta = beta;
  g.lda = (trans_a ? s.m : s.k) + 3;
  g.ldb = (trans_b ? s.k : s.n) + 1;
  g.ldc = s.n + 2;
  g.batch = s.batch;
  g.stride_a = (trans_a ? s.k : s.m) * g.lda;
  g.stride_b = 0;  // shared
  g.stride_c = s.m * g.ldc;
  const Tensor a = on.random({s.batch, g.stride_a}, 1);
  const Tensor b = on.random({(trans_b ? s.n : s.k) * g.ldb}, 2);
  const Tensor c = on.random({s.batch, g.stride_c}, 3);
  const Tensor bias = on.random({s.n}, 4);
  g.a = a.data;
  g.b = b.data;
  g.c = c.data;
  if (with_bias) g.bias = bias.data;
  const std::vector<float> before = test::values(c);
  on.backend.gemm(g);
  for (std::int64_t x = 0; x < s.batch; ++x) {
    for (std::int64_t i = 0; i < s.m; ++i) {
      for (std::int64_t j = 0; j < g.ldc; ++j) {
        const std::int64_t at = x * g.stride_c + i * g.ldc + j;
        const double old = before[static_cast<std::size_t>(at)];
        if (j >= s.n) {
          ASSERT_EQ(c.data[at], old) << "padding written at " << at;
          continue;
        }
        double sum = 0.0;
        double size = 0.0;
        for (std::int64_t p = 0; p < s.k; ++p) {
          const double term =
              double{a.data[x * g.stride_a + (trans_a ? p * g.lda + i : i * g.lda + p)]} *
              double{b.data[trans_b ? j * g.ldb + p : p * g.ldb + j]};
          sum += term;
          size += std::abs(term);
        }
        const double want =
            0.75 * sum + double{beta} * old + (with_bias ? double{bias.data[j]} : 0.0);
        const double tolerance =
            test::kEps * (static_cast<double>(s.k) * size + 2.0 * std::abs(old) + 2.0);
        ASSERT_NEAR(c.data[at], want, tolerance) << x << " " << i << " " << j;
      }
    }
  }
}

TEST(CpuGemm, AllTransposesAtOddSizes) {
  const Case cases[] = {{1, 1, 1},      {1, 67, 33},   {5, 1, 17},       {67, 3, 1},
                        {13, 17, 19},   {1, 300, 40},  {300, 7, 50},     {261, 203, 5},
                        {40, 200, 129}, {8, 50, 9, 3}, {300, 200, 11, 2}};
  for (const Case& s : cases) {
    for (const bool trans_a : {false, true}) {
      for (const bool trans_b : {false, true}) {
        SCOPED_TRACE(::testing::Message() << s.m << "x" << s.n << "x" << s.k << " batch " << s.batch
                                          << " trans " << trans_a << trans_b);
        check(s, trans_a, trans_b, 0.0F, true);
        check(s, trans_a, trans_b, 1.0F, false);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(CpuGemm, BetaZeroIgnoresWhatCHeld) {
  CpuKernels on;
  const Tensor a = on.filled({4, 3}, 1.0F);
  const Tensor b = on.filled({3, 5}, 2.0F);
  const Tensor c = on.filled({4, 5}, NAN);
  Gemm g;
  g.m = 4;
  g.n = 5;
  g.k = 3;
  g.a = a.data;
  g.lda = 3;
  g.b = b.data;
  g.ldb = 5;
  g.c = c.data;
  g.ldc = 5;
  on.backend.gemm(g);
  for (const float x : test::values(c)) EXPECT_EQ(x, 6.0F);
}

}  // namespace
}  // namespace cdt

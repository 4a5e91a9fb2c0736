#include <gtest/gtest.h>

#include "tests/support/attention_oracle.h"
#include "tests/support/cpu_kernels.h"

namespace cdt {
namespace {

using test::AttentionOracle;
using test::CpuKernels;
using test::expect_near;
using test::kEps;

struct Case {
  std::int64_t batch, heads, head_dim, queries, keys;
  bool share_q = false, share_k = false, share_v = false;
  float p = 0.3F;
};

/// Operands and gradients of one case. Operands are columns of wider rows (q alone; k and v side by
/// side if both are shared or both are not), as the model packs them.
class Problem {
 public:
  Problem(CpuKernels& on, const Case& c) : on_(on), c_(c), width_(c.heads * c.head_dim) {
    a_.batch = c.batch;
    a_.heads = c.heads;
    a_.head_dim = c.head_dim;
    a_.queries = c.queries;
    a_.keys = c.keys;
    a_.dropout = {77, 3, 9, c.p};
    a_.q = operand(c.queries, c.share_q, 1);
    a_.k = operand(c.keys, c.share_k, 2);
    a_.v = operand(c.keys, c.share_v, 3);
    a_.out = on.filled({c.batch, c.queries, width_}, NAN);
    shared_scores_ = c.batch == 1 || (c.share_q && c.share_k);
    a_.log_sum_exp = on.filled({shared_scores_ ? 1 : c.batch, c.heads, c.queries}, NAN);
    a_.probabilities = on.filled({c.batch, c.heads, c.queries, c.keys}, NAN);
    dout_ = on.random({c.batch, c.queries, width_}, 4);
    want_ = test::attention_oracle(a_, dout_.data);
    // products of length K and sums over Nk and Nq of terms at most 1 / (1 - p)^2
    tolerance_ = kEps * static_cast<double>(c.head_dim + c.keys + c.queries + 16) * 4.0;
  }

  void check_forward() {
    on_.backend.attention(a_, on_.scratch);
    EXPECT_EQ(on_.scratch.used(), 0U);
    expect_near(a_.out, want_.out, tolerance_, "out");
    expect_near(a_.probabilities, want_.probabilities, tolerance_, "probabilities");
    want_.log_sum_exp.resize(static_cast<std::size_t>(a_.log_sum_exp.count()));
    expect_near(a_.log_sum_exp, want_.log_sum_exp, tolerance_, "log_sum_exp");
    const std::vector<float> with = test::values(a_.out);
    a_.probabilities = {};
    on_.backend.attention(a_, on_.scratch);
    EXPECT_EQ(test::values(a_.out), with) << "with and without probabilities";
  }

  void check_backward(bool dq, bool dk, bool dv) {
    AttentionBackward b;
    b.forward = a_;
    b.dout = dout_;
    const Tensor tq = gradient(c_.queries, c_.share_q);
    const Tensor tk = gradient(c_.keys, c_.share_k);
    const Tensor tv = gradient(c_.keys, c_.share_v);
    if (dq) b.dq = view(tq, c_.queries, c_.share_q);
    if (dk) b.dk = view(tk, c_.keys, c_.share_k);
    if (dv) b.dv = view(tv, c_.keys, c_.share_v);
    on_.backend.attention_backward(b, on_.scratch);
    EXPECT_EQ(on_.scratch.used(), 0U);
    compare(tq, dq, c_.share_q, want_.dq, "dq");
    compare(tk, dk, c_.share_k, want_.dk, "dk");
    compare(tv, dv, c_.share_v, want_.dv, "dv");
  }

 private:
  HeadsView operand(std::int64_t rows, bool share, std::uint64_t seed) {
    const std::int64_t stride = width_ + 5;
    const Tensor t = on_.random({share ? 1 : c_.batch, rows, stride}, seed);
    return {t.data, stride, share ? 0 : rows * stride};
  }
  Tensor gradient(std::int64_t rows, bool share) {
    return on_.filled({share ? 1 : c_.batch, rows, width_ + 3}, -9.0F);
  }
  HeadsView view(const Tensor& t, std::int64_t rows, bool share) const {
    return {t.data, width_ + 3, share ? 0 : rows * (width_ + 3)};
  }
  /// The first width_ columns hold the gradient and the others still -9; all are -9 if it was not
  /// wanted.
  void compare(const Tensor& t, bool wanted, bool share, const std::vector<double>& want,
               const char* what) const {
    const std::vector<double> sum = share ? test::sum_over_batch(want, c_.batch) : want;
    std::vector<double> padded;
    for (std::int64_t i = 0; i < t.count(); ++i) {
      const std::int64_t col = i % (width_ + 3);
      const std::int64_t row = i / (width_ + 3);
      padded.push_back(wanted && col < width_ ? sum[static_cast<std::size_t>(row * width_ + col)]
                                              : -9.0);
    }
    expect_near(t, padded, tolerance_ * static_cast<double>(share ? c_.batch : 1), what);
  }

  CpuKernels& on_;
  Case c_;
  std::int64_t width_;
  Attention a_;
  Tensor dout_;
  AttentionOracle want_;
  double tolerance_ = 0.0;
  bool shared_scores_ = false;
};

void check(const Case& c) {
  SCOPED_TRACE(::testing::Message() << "B " << c.batch << " H " << c.heads << " K " << c.head_dim
                                    << " Nq " << c.queries << " Nk " << c.keys << " shared "
                                    << c.share_q << c.share_k << c.share_v << " p " << c.p);
  CpuKernels on;
  Problem problem(on, c);
  problem.check_forward();
  problem.check_backward(true, true, true);
}

TEST(CpuAttention, OddSizes) {
  check({1, 1, 1, 1, 1});
  check({2, 1, 3, 5, 67});
  check({1, 3, 16, 67, 5});
  check({2, 2, 17, 200, 33});
  check({1, 2, 5, 31, 400});
  check({1, 1, 96, 193, 385});
  check({2, 2, 4, 197, 193, false, false, false, 0.0F});
}

TEST(CpuAttention, EveryWayOfSharing) {
  for (int bits = 0; bits < 8; ++bits) {
    check({3, 2, 7, 21, 37, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0});
    check({3, 2, 7, 200, 260, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0});
    check({3, 1, 7, 21, 37, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, 0.0F});
  }
}

TEST(CpuAttention, UnwantedGradientsAreNotTouched) {
  for (const bool share : {false, true}) {
    CpuKernels on;
    Problem problem(on, {2, 2, 5, 19, 203, share, share, share});
    problem.check_forward();
    for (int bits = 0; bits < 8; ++bits) {
      problem.check_backward((bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0);
    }
  }
}

TEST(CpuAttention, LargeScoresStayFinite) {
  CpuKernels on;
  Attention a;
  a.batch = a.heads = 1;
  a.head_dim = 4;
  a.queries = 3;
  a.keys = 50;
  const Tensor q = on.filled({3, 4}, 100.0F);
  const Tensor k = on.random({50, 4}, 1);
  const Tensor v = on.filled({50, 4}, 2.0F);
  a.q = {q.data, 4, 0};
  a.k = {k.data, 4, 0};
  a.v = {v.data, 4, 0};
  a.out = on.filled({1, 3, 4}, NAN);
  a.log_sum_exp = on.filled({1, 1, 3}, NAN);
  on.backend.attention(a, on.scratch);
  expect_near(a.out, std::vector<double>(12, 2.0), 16 * kEps, "out");
}

}  // namespace
}  // namespace cdt

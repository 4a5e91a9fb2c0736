// Attention and pooling kernels against the CPU backend.
#include <array>

#include "tests/kernels/kernel_case.h"
#include "tests/kernels/kernel_test.h"

namespace cdt::test {
namespace {

class AttentionKernels : public KernelTest {};

struct Sizes {
  std::int64_t batch, heads, head_dim, queries, keys;
};
constexpr Sizes kSizes[] = {{1, 1, 1, 1, 1},   {2, 3, 5, 7, 33},  {1, 2, 32, 31, 65},
                            {2, 1, 8, 65, 97}, {1, 2, 4, 3, 769}, {3, 2, 96, 9, 63}};

HeadsView view(const Tensor& t) {
  const std::int64_t width = t.cols();
  return {t.data, width, t.shape[0] == 1 ? 0 : t.shape[1] * width, t.dtype};
}

/// q, k, v, out, log_sum_exp, probabilities, then dout, dq, dk, dv. `shared`: queries and keys are
/// the same for all samples.
std::vector<CaseTensor> tensors(const Sizes& s, bool shared) {
  const std::int64_t width = s.heads * s.head_dim;
  const std::int64_t own = shared ? 1 : s.batch;
  return {{{own, s.queries, width}, true},
          {{own, s.keys, width}, true},
          {{s.batch, s.keys, width}, true},
          {{s.batch, s.queries, width}, true, Fill::kZero},
          {{own, s.heads, s.queries}, false, Fill::kZero},
          {{s.batch, s.heads, s.queries, s.keys}, false, Fill::kZero},
          {{s.batch, s.queries, width}, true},
          {{own, s.queries, width}, true, Fill::kZero},
          {{own, s.keys, width}, true, Fill::kZero},
          {{s.batch, s.keys, width}, true, Fill::kZero}};
}

void attend(const Sizes& s, float p, Backend& b, const std::vector<Tensor>& t, Arena& scratch) {
  const Attention a{s.batch,    s.heads,    s.head_dim, s.queries, s.keys, view(t[0]),
                    view(t[1]), view(t[2]), t[3],       t[4],      t[5],   some_key(p)};
  b.attention(a, scratch);
  b.attention_backward({a, t[6], view(t[7]), view(t[8]), view(t[9])}, scratch);
}

TEST_F(AttentionKernels, ForwardAndBackward) {
  for (const Sizes& s : kSizes) {
    for (const float p : {0.0F, 0.3F}) {
      for (const bool shared : {false, true}) {
        // In bfloat16 the probabilities and the gradients of scores are rounded on the way, and a
        // gradient is a difference of such terms: eight roundings.
        expect_agreement({"attention " + std::to_string(s.queries) + " x " +
                              std::to_string(s.keys) + ", p " + std::to_string(p) +
                              (shared ? ", shared" : ""),
                          tensors(s, shared),
                          [=](Backend& b, const std::vector<Tensor>& t, Arena& scratch) {
                            attend(s, p, b, t, scratch);
                          },
                          8.0});
      }
    }
  }
}

constexpr std::array<Sizes, 4> kPools = {
    {{1, 1, 1, 1, 1}, {2, 3, 5, 1, 33}, {3, 2, 48, 1, 65}, {2, 8, 96, 1, 9}}};

TEST_F(AttentionKernels, Pooling) {
  for (const Sizes& s : kPools) {
    const std::int64_t d = s.heads * s.head_dim;
    const std::int64_t n = s.keys;
    const std::string size =
        std::to_string(s.batch) + " x " + std::to_string(n) + " x " + std::to_string(d);
    for (const std::int64_t own : {std::int64_t{1}, s.batch}) {
      expect_agreement({"pool_scores " + size,
                        {{{own, s.heads, d}},
                         {{s.batch, n, d}, true},
                         {{s.batch, s.heads}},
                         {{s.batch, s.heads, n}, false, Fill::kZero}},
                        [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                          b.pool_scores(t[0], t[1], t[2], 0.25F, t[3]);
                        }});
      expect_agreement({"pool_mix " + size,
                        {{{s.batch, s.heads, n}},
                         {{s.batch, n, d}, true},
                         {{own, s.heads, d}, false, Fill::kZero},
                         {{s.batch, s.heads}, false, Fill::kZero}},
                        [](Backend& b, const std::vector<Tensor>& t, Arena& scratch) {
                          b.pool_mix(t[0], t[1], t[2], t[3], scratch);
                        }});
    }
    for (const bool based : {false, true}) {
      expect_agreement({"pool_outer " + size,
                        {{{s.batch, s.heads, n}},
                         {{1, s.heads, d}},
                         {{s.batch, s.heads, n}},
                         {{s.batch, s.heads, d}},
                         {{s.batch, n}},
                         {{s.batch, n, d}, true}},
                        [=](Backend& b, const std::vector<Tensor>& t, Arena&) {
                          b.pool_outer(t[0], t[1], t[2], t[3], {}, based ? t[5] : Tensor{}, t[5]);
                          b.pool_outer(t[0], t[1], t[2], t[3], t[4], t[5], t[5]);
                        },
                        2.0});
    }
    expect_agreement({"norm_factors " + size,
                      {{{1, s.heads, n}},
                       {{1, s.heads, n}},
                       {{1, 2 * s.heads, n}},
                       {{n, 2}, false, Fill::kPositive},
                       {{2 * s.heads, n}, false, Fill::kZero},
                       {{1, n}, false, Fill::kZero}},
                      [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.norm_factors(t[0], t[1], t[2], t[3], t[4], t[5]);
                      }});
  }
}

}  // namespace
}  // namespace cdt::test

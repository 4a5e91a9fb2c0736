// Tiled attention in bfloat16, tf32 and at float32 accuracy against the CPU backend in float32, at
// sizes around a tile.
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/kernels/kernel_case.h"
#include "tests/kernels/kernel_test.h"
#include "tests/kernels/self_attended.h"
#include "tests/support/relative_error.h"

namespace cdt::test {
namespace {

class FusedAttentionKernels : public KernelTest {};

constexpr Sizes kSizes[] = {{1, 1, 32, 1, 1},    {2, 1, 32, 65, 130}, {1, 2, 64, 3, 200},
                            {1, 1, 96, 70, 9},   {1, 1, 96, 64, 64},  {2, 3, 8, 33, 31},
                            {1, 2, 40, 66, 97},  {1, 1, 72, 9, 65},   {1, 1, 104, 65, 33},
                            {1, 1, 128, 70, 130}};
/// Heads of the model's width over enough tiles, with odd remainders, that every kernel's loop
/// reuses each of its stages.
constexpr Sizes kManyTiles{1, 1, 96, 200, 330};

/// In bfloat16 and tf32 probabilities and gradients of scores are rounded on the way, and a
/// gradient is a difference of such terms: eight roundings. In three parts nothing is rounded.
constexpr double kRoundings = 8.0;

std::string name_of(const char* what, const Sizes& s, float p) {
  return std::string(what) + " " + std::to_string(s.batch) + " x " + std::to_string(s.heads) +
         " heads of " + std::to_string(s.head_dim) + ", " + std::to_string(s.queries) + " x " +
         std::to_string(s.keys) + ", p " + std::to_string(p);
}

/// In three bfloat16 parts, of numbers that use all three. The bound of twelve epsilons, 1.4e-6, is
/// also what float32 by score matrices may need; a missing part exceeds it.
void expect_agreement_in_parts(KernelCase c) {
  c.name += ", parts";
  c.epsilons = 12.0;
  c.options.precision = Precision::kBFloat16x3;
  for (CaseTensor& t : c.tensors) {
    if (t.fill == Fill::kRandom) t.fill = Fill::kFine;
  }
  expect_agreement(c);
}

/// On float32 tensors in tf32, which runs in bfloat16 skip.
void expect_agreement_in_tf32(KernelCase c) {
  c.name += ", tf32";
  c.options.precision = Precision::kTf32;
  c.tf32_roundings = kRoundings;
  expect_agreement(c);
}

void expect_agreement_in_all_types(const KernelCase& c) {
  expect_agreement(c);
  expect_agreement_in_tf32(c);
  expect_agreement_in_parts(c);
}

/// The kernels of a pass: one for the mask if there is dropout, and the others.
struct Launches {
  unsigned forward, backward;
};

/// Calls both passes, and expects this many launches if the tiled kernels handle the call.
void attend(Backend& b, const AttentionBackward& a, const Launches& expected, Arena& scratch) {
  const bool tiled = std::string(b.name()) == "cuda" &&
                     (a.dout.dtype == Dtype::kBFloat16 || b.product_unit() >= kTf32Rounding);
  b.begin_step(a.forward.dropout.step);  // now, so that it is not a launch in between
  const std::optional<std::uint64_t> before = launches();
  b.attention(a.forward, scratch);
  const std::optional<std::uint64_t> between = launches();
  b.attention_backward(a, scratch);
  if (!tiled || !before) return;
  const unsigned masks = a.forward.dropout.p > 0.0F ? 1 : 0;
  EXPECT_EQ(*between - *before, expected.forward + masks);
  EXPECT_EQ(*launches() - *between, expected.backward + masks);
}

/// One forward kernel; backward one for sums of rows, one for dq and one for dk with dv.
void attend(Backend& b, const AttentionBackward& a, Arena& scratch) {
  const unsigned gradients = (a.dq.data != nullptr ? 1U : 0U) + (a.dk.data != nullptr ? 1U : 0U);
  attend(b, a, {1, 1 + gradients}, scratch);
}

/// q, and the rows of k next to v, in separate tensors, as in cross-attention.
void expect_cross_attention(
    const Sizes& s, float p, std::int64_t cotangents,
    const std::function<void(const KernelCase&)>& expect = expect_agreement_in_all_types) {
  const std::int64_t width = s.heads * s.head_dim;
  const std::int64_t gradients = cotangents > 1 ? cotangents : s.batch;
  const Shape queries{s.batch, s.queries, width};
  const Shape keys{s.batch, s.keys, 2 * width};
  const Shape query_gradients{gradients, s.queries, width};
  expect({name_of("cross", s, p) + ", cotangents " + std::to_string(cotangents),
          {{queries, true},
           {keys, true},
           {queries, true, Fill::kZero},
           {{s.batch, s.heads, s.queries}, false, Fill::kZero},
           {query_gradients, true},
           {query_gradients, true, Fill::kZero},
           {{gradients, s.keys, 2 * width}, true, Fill::kZero}},
          [=](Backend& b, const std::vector<Tensor>& t, Arena& scratch) {
            const Attention a = attention_of(s, columns(t[0], 0), columns(t[1], 0),
                                             columns(t[1], width), t[2], t[3], some_key(p));
            attend(b,
                   {a, t[4], columns(t[5], 0), columns(t[6], 0), columns(t[6], width), cotangents},
                   scratch);
          },
          kRoundings});
}

TEST_F(FusedAttentionKernels, CrossAttention) {
  for (const Sizes& s : kSizes) {
    for (const float p : {0.0F, 0.3F}) expect_cross_attention(s, p, 1);
  }
}

TEST_F(FusedAttentionKernels, CrossAttentionOverManyTiles) {
  for (const float p : {0.0F, 0.3F}) {
    expect_cross_attention(kManyTiles, p, 1, expect_agreement);
    expect_cross_attention(kManyTiles, p, 1, expect_agreement_in_tf32);
  }
  expect_cross_attention({2, 2, 96, 66, 129}, 0.3F,
                         1);  // enough tiles, too, for parts: they are small
}

/// Some scores far exceed those before them, so the reference of the exponents moves.
TEST_F(FusedAttentionKernels, LargeScores) {
  for (const Sizes& s : {Sizes{1, 1, 96, 70, 330}, Sizes{1, 2, 32, 33, 200}}) {
    const std::int64_t width = s.heads * s.head_dim;
    expect_agreement_in_all_types({name_of("large", s, 0.0F),
                                   {{{s.batch, s.queries, width}, true, Fill::kLarge},
                                    {{s.batch, s.keys, 2 * width}, true},
                                    {{s.batch, s.queries, width}, true, Fill::kZero},
                                    {{s.batch, s.heads, s.queries}, false, Fill::kZero}},
                                   [=](Backend& b, const std::vector<Tensor>& t, Arena& scratch) {
                                     b.attention(attention_of(s, columns(t[0], 0), columns(t[1], 0),
                                                              columns(t[1], width), t[2], t[3],
                                                              some_key(0.0F)),
                                                 scratch);
                                   },
                                   kRoundings});
  }
}

/// q, k and v side by side. Without the gradient of q, as when queries are constants.
void expect_self_attention(const Sizes& s, float p, bool query_gradient) {
  const std::int64_t width = s.heads * s.head_dim;
  const Shape packed{s.batch, s.queries, 3 * width};
  const Shape out{s.batch, s.queries, width};
  expect_agreement_in_all_types(
      {name_of("self", s, p),
       {{packed, true},
        {out, true, Fill::kZero},
        {{s.batch, s.heads, s.queries}, false, Fill::kZero},
        {out, true},
        {packed, true, Fill::kZero}},
       [=](Backend& b, const std::vector<Tensor>& t, Arena& scratch) {
         const Attention a = attention_of(s, columns(t[0], 0), columns(t[0], width),
                                          columns(t[0], 2 * width), t[1], t[2], some_key(p));
         const HeadsView dq = query_gradient ? columns(t[4], 0) : HeadsView{};
         attend(b, {a, t[3], dq, columns(t[4], width), columns(t[4], 2 * width)}, scratch);
       },
       kRoundings});
}

TEST_F(FusedAttentionKernels, SelfAttention) {
  expect_self_attention({2, 2, 32, 66, 66}, 0.1F, false);
  expect_self_attention({1, 1, 96, 197, 197}, 0.3F, true);
}

/// q, k and v side by side, of one sample for the batch: scores are computed once.
void expect_shared_attention(const Sizes& s, float p) {
  const std::int64_t width = s.heads * s.head_dim;
  const Shape packed{1, s.queries, 3 * width};
  const Shape out{s.batch, s.queries, width};
  expect_agreement_in_all_types(
      {name_of("shared", s, p),
       {{packed, true},
        {out, true, Fill::kZero},
        {{1, s.heads, s.queries}, false, Fill::kZero},
        {out, true},
        {packed, true, Fill::kZero}},
       [=](Backend& b, const std::vector<Tensor>& t, Arena& scratch) {
         const Attention a = attention_of(s, columns(t[0], 0), columns(t[0], width),
                                          columns(t[0], 2 * width), t[1], t[2], some_key(p));
         // Forward log-sum-exp before out; backward sums of rows, gradients of scores with dv, and
         // its parts.
         const Launches expected = p > 0.0F ? Launches{2, 3} : Launches{1, 3};
         attend(b, {a, t[3], columns(t[4], 0), columns(t[4], width), columns(t[4], 2 * width)},
                expected, scratch);
       },
       kRoundings});
}

TEST_F(FusedAttentionKernels, SharedByTheBatch) {
  expect_shared_attention({2, 1, 32, 33, 33}, 0.3F);
  expect_shared_attention({9, 2, 8, 65, 65}, 0.1F);
  expect_shared_attention({3, 1, 96, 131, 131}, 0.3F);
  expect_shared_attention({2, 1, 128, 70, 70}, 0.3F);
  expect_shared_attention({2, 1, 72, 70, 70}, 0.0F);  // the other kernels sum over the batch
}

// Several cotangents of one sample, through the fused kernels and, in float32, through score
// matrices.
TEST_F(FusedAttentionKernels, SeveralCotangents) {
  expect_cross_attention({1, 2, 32, 67, 40}, 0.0F, 3);
  expect_cross_attention({1, 1, 96, 140, 201}, 0.0F, 2);
}

/// Without dropout the probabilities are unchanged, whatever the mask.
TEST_F(FusedAttentionKernels, Maps) {
  constexpr Sizes kSizesOfMaps{2, 2, 40, 66, 67};
  const Sizes& s = kSizesOfMaps;
  const std::int64_t width = s.heads * s.head_dim;
  expect_agreement_in_all_types({name_of("map", s, 0.3F),
                                 {{{s.batch, s.queries, width}, true},
                                  {{s.batch, s.keys, 2 * width}, true},
                                  {{s.batch, s.queries, width}, true, Fill::kZero},
                                  {{s.batch, s.heads, s.queries}, false, Fill::kZero},
                                  {{s.batch, s.heads, s.queries, s.keys}, false, Fill::kZero}},
                                 [=](Backend& b, const std::vector<Tensor>& t, Arena& scratch) {
                                   Attention a = attention_of(s, columns(t[0], 0), columns(t[1], 0),
                                                              columns(t[1], width), t[2], t[3],
                                                              some_key(0.3F));
                                   a.probabilities = t[4];
                                   b.attention(a, scratch);
                                 },
                                 kRoundings});
}

}  // namespace
}  // namespace cdt::test

// Kernels of the loss and the optimiser against the CPU backend.
#include <gtest/gtest-spi.h>

#include "tests/kernels/kernel_case.h"
#include "tests/kernels/kernel_test.h"

namespace cdt::test {
namespace {

class StepKernels : public KernelTest {};

TEST_F(StepKernels, SelectionAndHuber) {
  for (const std::int64_t batch : {1, 31, 33, 129}) {
    for (const std::int64_t genes : {2, 33, 769}) {
      expect_agreement(
          {"select",
           {{{batch, genes}}, {{batch}, false, Fill::kIndex}, {{batch}, false, Fill::kZero}},
           [](Backend& b, const std::vector<Tensor>& t, Arena&) { b.select(t[0], t[1], t[2]); }});
      expect_agreement({"select_backward",
                        {{{batch}}, {{batch}, false, Fill::kIndex}, {{batch, genes}}},
                        [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                          b.select_backward(t[0], t[1], t[2]);
                        }});
    }
    expect_agreement({"huber",
                      {{{batch}}, {{batch}}, {{1}}, {{1}}, {{batch}, false, Fill::kZero}},
                      [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.huber(t[0], t[1], {}, 0.7F, t[2]);
                        b.huber_backward(t[0], t[1], {}, 0.7F, t[3], t[4]);
                      }});
    expect_agreement({"weighted huber",
                      {{{batch}},
                       {{batch}},
                       {{1}},
                       {{1}},
                       {{batch}, false, Fill::kZero},
                       {{batch}, false, Fill::kPositive}},
                      [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        b.huber(t[0], t[1], t[5], 0.7F, t[2]);
                        b.huber_backward(t[0], t[1], t[5], 0.7F, t[3], t[4]);
                      }});
  }
}

// Three parameters of two groups, one longer than a chunk of the table: w, grad, first, second
// each; clip, rates.
TEST_F(StepKernels, ClippingAndAdamW) {
  for (const std::int64_t n : {1, 33, 4095, 4097, 9001}) {
    std::vector<CaseTensor> tensors;
    for (const std::int64_t count : {n, std::int64_t{97}, std::int64_t{5}}) {
      for (const Fill fill : {Fill::kRandom, Fill::kRandom, Fill::kRandom, Fill::kPositive}) {
        tensors.push_back({{count}, false, fill});
      }
    }
    tensors.push_back({{2}, false, Fill::kZero});
    tensors.push_back({{2, 8}, false, Fill::kZero});
    expect_agreement({"adamw of " + std::to_string(n), tensors,
                      [](Backend& b, const std::vector<Tensor>& t, Arena&) {
                        AdamWStep step = {.lr = 1e-3,
                                          .beta1 = 0.9,
                                          .beta2 = 0.999,
                                          .eps = 1e-8,
                                          .weight_decay = 0.01,
                                          .bias_correction1 = 0.1,
                                          .bias_correction2 = 0.001};
                        AdamWRates rates[2] = {adamw_rates(step)};
                        step.lr = 2e-2;
                        step.weight_decay = 0.0;
                        rates[1] = adamw_rates(step);
                        b.upload(t[13], rates);
                        const AdamWTensors parameters[] = {{t[0], t[1], t[2], t[3], {}, 1},
                                                           {t[4], t[5], t[6], t[7], {}, 0},
                                                           {t[8], t[9], t[10], t[11], {}, 1}};
                        b.clip(parameters, 1.0, t[12]);
                        b.adamw(parameters, t[13], t[12]);
                      }});
  }
}

/// Expects both placements of the tensors to fail with `text`.
void expect_seen_twice(const KernelCase& c, const char* text) {
  testing::TestPartResultArray results;
  {
    const testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &results);
    expect_agreement(c);
  }
  ASSERT_EQ(results.size(), 2);
  for (int i = 0; i < 2; ++i) {
    EXPECT_NE(std::string(results.GetTestPartResult(i).message()).find(text), std::string::npos);
  }
}

// The comparison itself: a wrong value, and a write past the tensor.
TEST_F(StepKernels, ADifferenceIsSeen) {
  static const KernelCase other_value{
      "fill", {{{97}}}, [](Backend& b, const std::vector<Tensor>& t, Arena&) {
        b.fill(t[0], std::string(b.name()) == "cuda" ? 1.0001F : 1.0F);
      }};
  static const KernelCase too_long{
      "fill", {{{97}}}, [](Backend& b, const std::vector<Tensor>& t, Arena&) {
        b.fill(t[0], 1.0F);
        // Before the tensor or after it: on the side without the guard.
        const bool cuda = std::string(b.name()) == "cuda";
        const bool at_start = reinterpret_cast<std::uintptr_t>(t[0].data) % 4096 == 0;
        if (cuda) b.fill({t[0].data + (at_start ? 97 : -1), {1}}, 1.0F);
      }};
  expect_seen_twice(other_value, "tensor 0");
  expect_seen_twice(too_long, "beside tensor 0");
}

}  // namespace
}  // namespace cdt::test

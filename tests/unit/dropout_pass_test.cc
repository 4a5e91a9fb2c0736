// A training pass of the whole model with dropout, on the device under test against the CPU, which
// has the same masks. The heads have a size for which attention is fused in bfloat16.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "tests/support/precision.h"
#include "tests/support/relative_error.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

using Floats = std::vector<float>;
using test::relative_error;

constexpr std::int64_t kBatch = 2;

struct Pass {
  Floats logits;
  std::map<std::string, Floats> gradients;  // of all parameters of a module
};

Pass training_pass(std::unique_ptr<Backend> backend, const CdtConfig& config) {
  Arena lasting(*backend, "lasting");
  Arena step(*backend, "step");
  Arena scratch(*backend, "scratch");
  Cdt model(config, *backend, lasting, true);
  model.initialise(5);
  model.zero_gradients();
  Tape tape(*backend, step, scratch);
  tape.train(11, 2);
  const auto random = [&](const Shape& shape, std::uint32_t stream) {
    return test::random_tensor(*backend, lasting, shape, stream);
  };
  const Var logits =
      model.forward({.tape = tape,
                     .dna = tape.constant(random({kBatch, test::kBins, config.dna_dim}, 1)),
                     .rna = tape.constant(random({1, config.genes, config.rna_dim}, 2)),
                     .protein = tape.constant(random({1, config.genes, config.protein_dim}, 3))});
  Pass pass{to_host(*backend, logits->value), {}};
  tape.backward(logits, random(logits->value.shape, 4));
  for (const Parameter& p : model.parameters()) {
    const Floats gradient = to_host(*backend, p.variable.grad);
    Floats& all = pass.gradients[p.module];
    all.insert(all.end(), gradient.begin(), gradient.end());
  }
  return pass;
}

bool any_number(const Floats& values) {
  return std::any_of(values.begin(), values.end(), [](float x) { return x != 0.0F; });
}

TEST(DropoutPassTest, AgreesWithTheCpu) {
  const struct { std::int64_t hidden, heads; } sizes[] = {{32, 1}, {128, 2}, {96, 1}};
  for (const auto& size : sizes) {
    CdtConfig config = test::small_config(Variant::kReleased, 9, 1);
    config.hidden = size.hidden;
    config.heads = size.heads;
    config.dropout = 0.3F;
    const Pass got = training_pass(test::make_test_backend(), config);
    const Pass want = training_pass(make_cpu_backend(1), config);
    SCOPED_TRACE("heads of " + std::to_string(size.hidden / size.heads));
    EXPECT_TRUE(any_number(want.logits));
    EXPECT_LE(relative_error(got.logits, want.logits), test::tolerance(1e-5, test::kModelValue));
    for (const auto& [module, gradient] : want.gradients) {
      EXPECT_TRUE(any_number(gradient)) << module;
      EXPECT_LE(relative_error(got.gradients.at(module), gradient),
                test::tolerance(1e-4, test::kModelGradient))
          << module;
    }
  }
}

}  // namespace
}  // namespace cdt

// Sums of gradients over ranks: the tape reports a gradient only when no rule adds to it any more,
// buckets cover each gradient once, and their sums start while backward() still runs.
#include "engine/ranks/gradient_sum.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/cpu/cpu_backend.h"
#include "engine/ops.h"
#include "model/cdt.h"
#include "tests/support/thread_ranks.h"

namespace cdt {
namespace {

CdtConfig small_config(Variant variant) {
  CdtConfig config;
  config.variant = variant;
  config.dna_dim = 5;
  config.rna_dim = 3;
  config.protein_dim = 4;
  config.genes = 7;
  config.hidden = 6;
  config.heads = 2;
  config.pool_heads = 3;
  config.feed_forward = 9;
  config.fusion = 8;
  config.dropout = 0.2F;
  return config;
}

/// A model with a training step on fixed values.
struct Step {
  explicit Step(const CdtConfig& config)
      : model(config, backend, lasting, true), tape(backend, step, scratch) {
    model.initialise(3);
    for (Tensor* t : {&dna, &rna, &protein}) fill(*t);
  }
  void fill(const Tensor& t) {
    for (std::int64_t i = 0; i < t.count(); ++i) {
      t.data[i] = static_cast<float>((i * 7 + 3) % 11) * 0.1F - 0.5F;
    }
  }
  void run(GradientWatch* watch) {
    model.zero_gradients();
    tape.watch(watch);
    tape.train(1, 0);
    const Var out = model.forward({.tape = tape,
                                   .dna = tape.constant(dna),
                                   .rna = tape.constant(rna),
                                   .protein = tape.constant(protein)});
    const Tensor cotangent = step.tensor(out->value.shape);
    backend.fill(cotangent, 0.25F);
    tape.backward(out, cotangent);
    tape.clear();
  }

  CpuBackend backend{2};
  Arena lasting{backend, "lasting"}, step{backend, "step"}, scratch{backend, "scratch"};
  Cdt model;
  Tape tape;
  Tensor dna = lasting.tensor({2, 5, model.config().dna_dim});
  Tensor rna = lasting.tensor({1, model.config().genes, model.config().rna_dim});
  Tensor protein = lasting.tensor({1, model.config().genes, model.config().protein_dim});
};

/// Keeps the values that a gradient has when it is reported.
struct Recorder : GradientWatch {
  void complete(const Tensor& gradient) override {
    const bool is_new =
        reported
            .emplace(gradient.data,
                     std::vector<float>(gradient.data, gradient.data + gradient.count()))
            .second;
    EXPECT_TRUE(is_new);
  }
  std::map<const float*, std::vector<float>> reported;
};

class GradientWatchOf : public ::testing::TestWithParam<Variant> {};

TEST_P(GradientWatchOf, ReportsEveryGradientOnceAndOnlyWhenComplete) {
  Step step(small_config(GetParam()));
  Recorder recorder;
  step.run(&recorder);
  std::int64_t values = 0;
  for (const auto& [at, then] : recorder.reported) {
    values += static_cast<std::int64_t>(then.size());
    EXPECT_EQ(std::vector<float>(at, at + then.size()), then);
  }
  EXPECT_EQ(values, step.model.trained_count());
}

INSTANTIATE_TEST_SUITE_P(Variants, GradientWatchOf,
                         ::testing::Values(Variant::kReleased, Variant::kPaper));

TEST(GradientSumTest, BucketsCoverEachGradientOnceAndMostStartEarly) {
  constexpr std::int64_t kBucket = 100;
  Step reference(small_config(Variant::kReleased));
  reference.run(nullptr);
  const Tensor& expected = reference.model.gradients();
  ThreadRanks three(3);
  three.run([&](Communicator& ranks) {
    Step step(small_config(Variant::kReleased));
    GradientSum sum(ranks, step.model.gradients(), step.model.variables(), kBucket);
    sum.begin();
    step.run(&sum);
    EXPECT_GT(sum.overlapped(), sum.buckets() / 2);
    sum.finish();
    for (const Var v : step.model.variables()) {
      const std::int64_t offset = v->grad.data - step.model.gradients().data;
      for (std::int64_t i = 0; i < v->grad.count(); ++i) {
        ASSERT_EQ(v->grad.data[i],
                  static_cast<float>(3.0 * static_cast<double>(expected.data[offset + i])));
      }
    }
  });
}

TEST(Shares, CoverAllElementsOnce) {
  for (const std::int64_t parts : {1, 2, 3, 7}) {
    std::int64_t at = 0;
    for (std::int64_t part = 0; part < parts; ++part) {
      const Share share = share_of(17, part, parts);
      EXPECT_EQ(share.begin, at);
      EXPECT_GE(share.count(), 17 / parts);
      EXPECT_LE(share.count(), 17 / parts + 1);
      at = share.end;
    }
    EXPECT_EQ(at, 17);
  }
}

}  // namespace
}  // namespace cdt

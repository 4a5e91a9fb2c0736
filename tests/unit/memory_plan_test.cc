// The plan of memory is what a run then takes, byte for byte.
#include "apps/train/memory_plan.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <vector>

#include "apps/train/dna_check.h"
#include "apps/train/run_folder.h"
#include "apps/train/trainer.h"
#include "engine/backend.h"
#include "engine/cpu/cpu_backend.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_backend.h"

namespace cdt {
namespace {

TEST(MemoryPlanTest, CountsTheReleasedModel) {
  const auto device = make_cpu_backend(1);
  const MemoryPlan plan = plan_memory(CdtConfig{}, TrainSettings{}, 896, *device);
  EXPECT_NEAR(static_cast<double>(plan.weights), 60093752.0 * 4, 1e6);
  EXPECT_EQ(plan.gradients, std::size_t{60093752} * 4);
  EXPECT_NEAR(static_cast<double>(plan.moments), 2 * 60093752.0 * 4, 1e6);
  EXPECT_LT(plan.total(), std::size_t{8} << 30U);
}

TEST(MemoryPlanTest, GrowsWithTheBatchAndWithThreads) {
  const auto plan = [](std::int64_t batch, int threads) {
    TrainSettings settings;
    settings.batch_size = batch;
    const auto device = make_cpu_backend(threads);
    return plan_memory(CdtConfig{}, settings, 896, *device);
  };
  const MemoryPlan one = plan(1, 1);
  EXPECT_EQ(plan(1, 256).work, 256 * one.work);
  EXPECT_EQ(plan(1, 256).scratch, one.scratch);
  EXPECT_GT(plan(8, 1).activations, 6 * one.activations);
  EXPECT_GT(plan(100000, 1).activations, std::size_t{1} << 44U);  // no machine has so much
}

struct Case {
  std::int64_t batch;
  int threads;
  TrainSettings settings;
};

class PlanOfARun : public ::testing::TestWithParam<Case> {};

TEST_P(PlanOfARun, IsWhatTheRunTakes) {
  const test::TempDir dir;
  std::vector<Pair> pairs;
  for (std::int32_t i = 0; i < 7; ++i) pairs.push_back({Split::kTrain, i % 5, i % 3, 0.5F, -1});
  for (std::int32_t i = 0; i < 4; ++i) pairs.push_back({Split::kVal, i, i % 3, 0.1F * i, -1});
  test::write_small_dataset(dir.path / "data", pairs);
  const Dataset data(dir.path / "data");
  TrainOptions options;
  options.common.quiet = true;
  options.settings = GetParam().settings;
  options.settings.epochs = 2;
  options.settings.batch_size = GetParam().batch;
  const CdtConfig config = model_config(options.settings, &data);
  CpuBackend backend(GetParam().threads);
  const MemoryPlan plan = plan_memory(config, options.settings, data.bins, backend);

  Arena lasting(backend, "lasting");
  Cdt model(config, backend, lasting, true);
  model.initialise(1);
  DnaCheck dna(data);
  Trainer trainer(options, plan, data, dna, backend, lasting, model);
  const RunFolder folder(dir.path / "run", false);
  trainer.run(folder);
  EXPECT_EQ(plan.lasting(), lasting.peak());
  EXPECT_EQ(plan.activations, trainer.step_arena().peak());
  EXPECT_EQ(plan.scratch, trainer.scratch().peak());
  EXPECT_EQ(plan.trunks, trainer.trunks().peak());
  EXPECT_EQ(plan.work, backend.work_bytes());
}

TrainSettings sizes(std::int64_t hidden, std::int64_t heads, const char* variant) {
  TrainSettings s;
  s.hidden = hidden;
  s.heads = heads;
  s.pool_heads = heads;
  s.feed_forward = 2 * hidden + 3;
  s.fusion = 5;
  s.dna_layers = 2;
  s.variant = variant;
  return s;
}

INSTANTIATE_TEST_SUITE_P(Sizes, PlanOfARun,
                         ::testing::Values(Case{1, 1, sizes(8, 2, "released")},
                                           Case{2, 3, sizes(12, 3, "paper")},
                                           Case{3, 64, sizes(33, 1, "released")},
                                           Case{7, 256, sizes(64, 4, "released")}));

TEST(ShapeBackend, DownloadsZerosAndTouchesNothing) {
  const auto device = make_cpu_backend(1);
  const auto shapes = make_shape_backend(*device);
  Arena arena(*shapes, "step");
  const Tensor t = arena.tensor({std::int64_t{1} << 50U});
  shapes->fill(t, 1.0F);
  std::vector<float> host(3, 5.0F);
  shapes->download(host.data(), t.slice(0, 3));
  EXPECT_EQ(host, std::vector<float>(3, 0.0F));
}

}  // namespace
}  // namespace cdt

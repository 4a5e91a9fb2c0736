// Memory plans equal what runs then use, byte for byte: a dry run executes the run's code on shapes
// only.
#include "apps/train/memory_plan.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "apps/attribute/batches.h"
#include "apps/common/session.h"
#include "apps/evaluation/control_passes.h"
#include "apps/train/dna_check.h"
#include "apps/train/patterns.h"
#include "apps/train/run_folder.h"
#include "apps/train/trainer.h"
#include "engine/backend.h"
#include "engine/cpu/cpu_backend.h"
#include "model/explain/attribution_batch.h"
#include "tests/support/gene_window_data.h"
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

// Released sizes with the DNA trunk frozen: no gradients, no moments, and none of its activations
// that a backward pass would read.
TEST(MemoryPlanTest, FrozenParametersTakeTheirValuesAlone) {
  const auto device = make_cpu_backend(1);
  TrainSettings settings;
  const MemoryPlan all = plan_memory(CdtConfig{}, settings, 896, *device);
  settings.freeze = {"dna_projector", "dna_self_attn_layers"};
  const MemoryPlan some = plan_memory(CdtConfig{}, settings, 896, *device);
  const std::size_t frozen = 2361600 + 2 * std::size_t{7087872};
  EXPECT_EQ(some.weights + some.gradients, all.weights + all.gradients - 4 * frozen);
  EXPECT_EQ(some.moments, all.moments - 8 * frozen);
  // Per layer: its input, packed queries, keys and values, heads, and the three inputs of the norms
  // and of the feed-forward net.
  const std::size_t tokens = 8 * std::size_t{896} * 768 * sizeof(float);
  EXPECT_LE(some.activations, all.activations - tokens * 2 * (1 + 3 + 1 + 3));
  EXPECT_LE(some.scratch, all.scratch);
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
  EXPECT_GT(plan(100000, 1).activations, std::size_t{1} << 44U);  // more than any machine has
}

struct Case {
  std::int64_t batch;
  int threads;
  TrainSettings settings;
  std::int32_t samples = 0;  // of the RNA
};

class PlanOfARun : public ::testing::TestWithParam<Case> {};

TEST_P(PlanOfARun, IsWhatTheRunTakes) {
  const test::TempDir dir;
  std::vector<Pair> pairs;
  for (std::int32_t i = 0; i < 7; ++i) pairs.push_back({Split::kTrain, i % 5, i % 3, 0.5F, -1});
  for (std::int32_t i = 0; i < 4; ++i) pairs.push_back({Split::kVal, i, i % 3, 0.1F * i, -1});
  const std::int32_t samples = GetParam().samples;
  for (std::size_t i = 0; samples > 0 && i < pairs.size(); ++i) {
    pairs[i].sample = static_cast<std::int32_t>(i) % samples;
  }
  const bool gene_windows = GetParam().settings.gene_window == kDnaGene;
  test::write_small_dataset(dir.path / "data", pairs, samples, test::SmallRna::kDistinct,
                            gene_windows);
  Dataset data(dir.path / "data");
  data.gene_starts.assign(data.genes.size(), GeneStart{"chr1", 100, 1});
  TrainOptions options;
  options.common.quiet = true;
  options.settings = GetParam().settings;
  options.settings.epochs = 2;
  options.settings.batch_size = GetParam().batch;
  const CdtConfig config = model_config(options.settings, &data);
  CpuBackend backend(GetParam().threads);
  const MemoryPlan plan = plan_memory(config, options.settings, data.bins, backend, samples);

  Arena lasting(backend, "lasting");
  Cdt model(config, backend, lasting, false);
  model.make_trainable(lasting, frozen_parameters(options.settings.freeze, model));
  model.initialise(1);
  DnaCheck dna(data, "", {}, gene_windows);
  const std::unique_ptr<Communicator> ranks = make_lone_communicator();
  Trainer trainer(options, plan, data, dna, *ranks, backend, lasting, model);
  const RunFolder folder(dir.path / "run", false);
  trainer.run(folder);
  EXPECT_EQ(plan.lasting(), lasting.peak());
  EXPECT_EQ(plan.activations, trainer.step_arena().peak());
  EXPECT_EQ(plan.scratch, trainer.scratch().peak());
  EXPECT_EQ(plan.trunks, trainer.trunks().peak());
  EXPECT_EQ(plan.work, backend.work_bytes());
  // All of them are held at once, with what is between their tensors.
  EXPECT_EQ(plan.arenas(), lasting.held() + trainer.step_arena().held() + trainer.scratch().held() +
                               trainer.trunks().held());
  const std::int64_t batch = options.settings.batch_size * data.bins * data.dna_dim;
  EXPECT_EQ(plan.host, static_cast<std::size_t>((gene_windows ? 4 : 2) * batch) * sizeof(float));
}

TrainSettings sizes(std::int64_t hidden, std::int64_t heads, const char* variant,
                    const std::vector<std::string>& freeze = {}) {
  TrainSettings s;
  s.freeze = freeze;
  s.hidden = hidden;
  s.heads = heads;
  s.pool_heads = heads;
  s.feed_forward = 2 * hidden + 3;
  s.fusion = 5;
  s.dna_layers = 2;
  s.variant = variant;
  return s;
}

/// A model with every extension.
TrainSettings extended(std::int64_t hidden) {
  TrainSettings s = sizes(hidden, 2, "released");
  s.readout = "gene";
  s.bin_position = s.gene_position = kByDistance;
  s.gene_window = kDnaGene;
  return s;
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, PlanOfARun,
    ::testing::Values(Case{1, 1, sizes(8, 2, "released")}, Case{2, 3, sizes(12, 3, "paper")},
                      Case{3, 64, sizes(33, 1, "released")},
                      Case{2, 3, sizes(12, 3, "released", {"dna_*"})},
                      Case{2, 3, sizes(12, 3, "paper", {"*bias", "rna_*"})},
                      Case{3, 2, extended(16)}, Case{3, 2, sizes(12, 3, "released"), 3},
                      Case{2, 2, extended(16), 2}, Case{7, 256, sizes(64, 4, "released")}));

class PlanOfAPrediction : public ::testing::TestWithParam<Case> {};

TEST_P(PlanOfAPrediction, IsWhatItTakes) {
  const test::TempDir dir;
  const std::vector<Pair> pairs = {{Split::kVal, 0, 0, 0.5F, -1}, {Split::kVal, 4, 2, 0.1F, -1}};
  test::write_small_dataset(dir.path, pairs, 0, test::SmallRna::kDistinct, true);
  Dataset data(dir.path);
  data.gene_starts.assign(data.genes.size(), GeneStart{"chr1", 100, 1});
  const CdtConfig config = model_config(GetParam().settings, &data);
  const std::int64_t batch = GetParam().batch;
  CpuBackend backend(GetParam().threads);
  const MemoryPlan plan = plan_prediction(config, batch, data.bins, backend);

  Arena lasting(backend, "lasting"), step(backend, "step"), scratch(backend, "scratch"),
      trunks(backend, "trunks");
  Cdt model(config, backend, lasting, false);
  model.initialise(1);
  model.freeze();
  Tape tape(backend, step, scratch);
  upload_genes(backend, lasting, data.rna, data.genes_count(), data.rna_dim);
  upload_genes(backend, lasting, data.protein, data.genes_count(), data.protein_dim);
  DnaFeed feed(data, backend, lasting, batch);
  const std::vector<float> window(static_cast<std::size_t>(data.bins * data.dna_dim), 0.5F);
  const auto go_on = [](std::int64_t) { return true; };
  const std::vector<Context> contexts{{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}};
  PassPlace place{model, tape, trunks, feed, data};
  std::optional<DnaFeed> gene_feed;
  if (config.gene_window) {
    place.read_windows_of(
        &gene_feed.emplace(data, backend, lasting, batch, 0, 0, Windows::kOfGenes), pairs);
  }
  ASSERT_TRUE(control_passes(place, contexts, window, 1, go_on));
  EXPECT_EQ(plan.lasting(), lasting.peak());
  EXPECT_EQ(plan.activations, step.peak());
  EXPECT_EQ(plan.scratch, scratch.peak());
  EXPECT_EQ(plan.trunks, trunks.peak());
  EXPECT_EQ(plan.work, backend.work_bytes());
  EXPECT_EQ(plan.arenas(), lasting.held() + step.held() + scratch.held() + trunks.held());
}

INSTANTIATE_TEST_SUITE_P(Sizes, PlanOfAPrediction,
                         ::testing::Values(Case{1, 1, sizes(8, 2, "released")},
                                           Case{2, 3, sizes(12, 3, "paper")},
                                           Case{3, 2, extended(16)},
                                           Case{4, 64, sizes(33, 1, "released")}));

/// Peaks of the arenas of an attribution of two genes: lasting, step, scratch.
std::vector<std::size_t> attribute_twice(const CdtConfig& config, std::int64_t bins,
                                         Backend& backend) {
  Arena lasting(backend, "lasting"), step(backend, "step"), scratch(backend, "scratch");
  Cdt model(config, backend, lasting, false);
  Tape tape(backend, step, scratch);
  const auto genes_by = [&](std::int64_t width) {
    const std::vector<float> values(static_cast<std::size_t>(config.genes * width), 0.5F);
    return upload_genes(backend, lasting, values, config.genes, width);
  };
  const Tensor rna = genes_by(config.rna_dim);
  const Tensor protein = genes_by(config.protein_dim);
  const Tensor dna = lasting.tensor({1, bins, config.dna_dim}, backend.activations());
  backend.fill(dna, 0.25F);
  model.initialise(1);
  Explainer explainer(model, tape, rna, protein, lasting);
  for (int i = 0; i < 2; ++i) {
    attribute(explainer, explainer.project(dna), {0, 2}, true,
              [](std::size_t, const PairWindows&) {});
  }
  return {lasting.peak(), step.peak(), scratch.peak()};
}

TEST(DryRun, TakesOfAnAttributionWhatTheDeviceTakes) {
  for (const auto& [hidden, bins] : {std::pair<std::int64_t, std::int64_t>{8, 4}, {12, 31}}) {
    const CdtConfig config = model_config(sizes(hidden, 2, "released"), nullptr);
    const auto device = make_cpu_backend(2);
    const auto shapes = make_shape_backend(*device);
    EXPECT_EQ(attribute_twice(config, bins, *shapes), attribute_twice(config, bins, *device));
  }
}

TEST(PlanOfAnAttribution, IsWhatABatchTakes) {
  constexpr std::int64_t kBins = 31;
  const CdtConfig config = model_config(sizes(12, 2, "released"), nullptr);
  for (const bool want_product : {false, true}) {
    for (const std::int64_t places : {1, 3}) {
      const auto device = make_cpu_backend(2);
      const MemoryPlan plan = plan_attribution(config, places, kBins, want_product, *device);
      Arena lasting(*device, "lasting"), step(*device, "step"), scratch(*device, "scratch");
      Cdt model(config, *device, lasting, false);
      model.initialise(1);
      Tape tape(*device, step, scratch);
      const std::vector<float> values(static_cast<std::size_t>(config.genes * 1000), 0.5F);
      const Tensor rna = upload_genes(*device, lasting, values, config.genes, config.rna_dim);
      const Tensor protein =
          upload_genes(*device, lasting, values, config.genes, config.protein_dim);
      Explainer explainer(model, tape, rna, protein, lasting);
      AttributionBatch batch(explainer, places, kBins, want_product, lasting);
      // The feed holds a batch of DNA.
      const Tensor dna = lasting.tensor({places, kBins, config.dna_dim});
      device->fill(dna, 0.25F);
      const std::vector<std::vector<std::int32_t>> genes(static_cast<std::size_t>(places), {0, 2});
      batch.run(dna, genes, [](std::size_t, std::size_t, const PairWindows&) {});
      EXPECT_EQ(plan.lasting(), lasting.peak());
      EXPECT_EQ(plan.activations, step.peak());
      EXPECT_EQ(plan.scratch, scratch.peak());
      EXPECT_EQ(plan.work, device->work_bytes());
    }
  }
}

// With more genes than D, the gradients are sums over a basis in an arena of its own.
TEST(PlanOfAnAttribution, IsWhatAnEnhancerAloneTakes) {
  constexpr std::int64_t kBins = 31, kHidden = 12;
  const CdtConfig config = model_config(sizes(kHidden, 2, "released"), nullptr);
  const auto device = make_cpu_backend(2);
  const MemoryPlan few = plan_alone(config, 2, kBins, *device);
  const std::vector<std::size_t> peaks = attribute_twice(config, kBins, *device);
  EXPECT_EQ(few.lasting(), peaks[0]);
  EXPECT_EQ(few.activations, peaks[1]);
  EXPECT_EQ(few.scratch, peaks[2]);
  // At most eight genes share a backward pass.
  const std::size_t eight = plan_alone(config, 8, kBins, *device).arenas();
  EXPECT_GT(eight, few.arenas());
  EXPECT_EQ(plan_alone(config, kHidden - 1, kBins, *device).arenas(), eight);
  constexpr std::size_t kBasis = kHidden * kBins * kHidden * sizeof(float);
  EXPECT_GE(plan_alone(config, kHidden + 1, kBins, *device).arenas(), few.arenas() + kBasis);
}

// A split may hold a pair twice, so an enhancer may have more pairs than there are genes.
TEST(PlanOfAnAttribution, TakesMorePairsThanGenes) {
  CdtConfig config = model_config(sizes(12, 2, "released"), nullptr);
  config.genes = 3;
  const auto device = make_cpu_backend(2);
  EXPECT_GT(plan_alone(config, 13, 6, *device).arenas(),
            plan_alone(config, 3, 6, *device).arenas());
}

// A model with every extension: gene windows, gene positions, the gene readout.
TEST(PlanOfAnAttribution, CountsTheExtensionsOfAnEnhancerAlone) {
  constexpr std::int64_t kBins = 6;
  CdtConfig config = model_config(extended(12), nullptr);
  config.genes = 7;
  config.dna_dim = 5;
  config.bins = kBins;
  const auto device = make_cpu_backend(2);
  const MemoryPlan with = plan_alone(config, 2, kBins, *device);
  config.gene_window = false;
  const MemoryPlan without = plan_alone(config, 2, kBins, *device);
  const std::size_t windows = kGeneWindowsAtOnce * kBins * 5 * sizeof(float);
  EXPECT_GE(with.data, without.data + windows);
  EXPECT_EQ(with.host, without.host + 2 * windows);
}

TEST(PlanOfAnAttribution, CountsTheWindowsOfGenes) {
  constexpr std::int64_t kBins = 6;
  TrainSettings settings = sizes(12, 2, "released");
  settings.readout = "gene";
  settings.gene_window = kDnaGene;
  CdtConfig config = model_config(settings, nullptr);
  config.genes = 7;
  config.dna_dim = 5;
  const auto device = make_cpu_backend(2);
  const MemoryPlan plan = plan_attribution(config, 2, kBins, false, *device);
  Arena lasting(*device, "lasting"), step(*device, "step"), scratch(*device, "scratch");
  Cdt model(config, *device, lasting, false);
  model.initialise(1);
  Tape tape(*device, step, scratch);
  const std::vector<float> values(7000, 0.5F);
  const Tensor rna = upload_genes(*device, lasting, values, config.genes, config.rna_dim);
  const Tensor protein = upload_genes(*device, lasting, values, config.genes, config.protein_dim);
  Explainer explainer(model, tape, rna, protein, lasting);
  AttributionBatch batch(explainer, 2, kBins, false, lasting);
  const Tensor dna = lasting.tensor({2, kBins, config.dna_dim});
  device->fill(dna, 0.25F);
  test::GeneWindowData windows({config.genes, kBins, config.dna_dim}, values, *device, lasting,
                               kGeneWindowsAtOnce);
  explainer.read_gene_windows(windows.feed(), {0, 1, 2, 3, 5});
  batch.run(dna, {{0, 2}, {5}}, [](std::size_t, std::size_t, const PairWindows&) {});
  EXPECT_EQ(plan.lasting(), lasting.peak());
  EXPECT_EQ(plan.activations, step.peak());
  EXPECT_EQ(plan.scratch, scratch.peak());
}

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

// RNA that differs between samples, in training, prediction and attribution.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "apps/attribute/batches.h"
#include "apps/attribute/choice.h"
#include "apps/common/predictions.h"
#include "apps/evaluation/control_passes.h"
#include "apps/evaluation/pair_table.h"
#include "apps/evaluation/replicate.h"
#include "apps/predict/files.h"
#include "apps/train/step.h"
#include "engine/backend.h"
#include "model/explain/explainer.h"
#include "model/inputs.h"
#include "tests/support/input_error.h"
#include "tests/support/train_run.h"

namespace cdt {
namespace {

constexpr std::int32_t kSamples = 3;

/// The default pairs, in the samples 0, 1, 2, 0, ...
std::vector<Pair> sampled_pairs() {
  std::vector<Pair> pairs = test::default_pairs();
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].sample = static_cast<std::int32_t>(i) % kSamples;
  }
  return pairs;
}

double norm_of_difference(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0.0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    sum += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
  }
  return std::sqrt(sum);
}

double norm(const std::vector<float>& a) {
  return norm_of_difference(a, std::vector<float>(a.size(), 0.0F));
}

PairChoice choice_of(const std::vector<std::string>& names) {
  PairChoice out;
  out.pairs = names;
  return out;
}

/// What one optimiser step on the first four train pairs computes.
struct Step {
  std::vector<float> predictions, gradients;
};

class SampledTraining : public test::TrainRun {
 protected:
  SampledTraining() { pairs = sampled_pairs(); }

  Step step(std::int64_t batch) {
    options.settings.batch_size = batch;
    options.settings.accumulate = 4 / batch;
    const auto run = make(pairs);
    Backend& backend = *run->backend;
    Arena arena(backend, "step"), scratch(backend, "scratch");
    Tape tape(backend, arena, scratch);
    StepData data(run->model.config(), run->data, backend, run->lasting, options.settings);
    const StepResults results(run->lasting, batch, backend);
    run->model.zero_gradients();
    Step out;
    for (std::int64_t first = 0; first < 4; first += batch) {
      const std::vector<Pair> part(pairs.begin() + first, pairs.begin() + first + batch);
      data.feed.start(column(part, &Pair::enhancer));
      const Tensor dna = data.feed.take();
      data.rna.load(column(part, &Pair::sample));
      backend.upload(data.genes, column(part, &Pair::gene).data());
      backend.upload(data.targets, column(part, &Pair::beta).data());
      add_gradients(options.settings, static_cast<std::uint32_t>(first), dna, data, run->model,
                    tape, results);
      const std::vector<float> predicted = to_host(backend, results.predictions());
      out.predictions.insert(out.predictions.end(), predicted.begin(), predicted.end());
    }
    for (Parameter& p : run->model.parameters()) {
      const std::vector<float> values = to_host(backend, p.variable.grad);
      out.gradients.insert(out.gradients.end(), values.begin(), values.end());
    }
    std::filesystem::remove_all(data_dir);
    return out;
  }

  /// All weights after a whole run.
  std::vector<float> trained() {
    const auto run = make(pairs);
    run->trainer.run(RunFolder(run_dir, false));
    std::vector<float> out;
    for (Parameter& p : run->model.parameters()) {
      const std::vector<float> values = to_host(*run->backend, p.variable.value);
      out.insert(out.end(), values.begin(), values.end());
    }
    std::filesystem::remove_all(data_dir);
    std::filesystem::remove_all(run_dir);
    return out;
  }

  /// Another order of the sums over at most a few dozen terms.
  static double bound(double size) {
    return 64.0 * test::make_test_backend()->product_unit() * size;
  }
};

TEST_F(SampledTraining, OneSampleTrainsToTheBitsOfNoSamples) {
  pairs = test::default_pairs();
  const std::vector<float> plain = trained();
  samples = 1;
  EXPECT_EQ(trained(), plain);
}

TEST_F(SampledTraining, EqualSamplesPredictTheBitsOfNoSamples) {
  const Step plain = step(4);
  samples = kSamples;
  rna = test::SmallRna::kEqual;
  const Step equal = step(4);
  EXPECT_EQ(equal.predictions, plain.predictions);  // with dropout, whose masks are the same
  EXPECT_LE(norm_of_difference(equal.gradients, plain.gradients), bound(norm(plain.gradients)));
  rna = test::SmallRna::kDistinct;
  const Step distinct = step(4);
  EXPECT_EQ(distinct.predictions[0], plain.predictions[0]);  // the first sample's RNA is that one
  EXPECT_NE(distinct.predictions[1], plain.predictions[1]);
  EXPECT_NE(distinct.predictions[2], plain.predictions[2]);
  EXPECT_GT(norm_of_difference(distinct.gradients, plain.gradients), bound(norm(plain.gradients)));
}

TEST_F(SampledTraining, AMixedBatchHasTheGradientOfSeparatePasses) {
  options.settings.dropout = 0.0;
  samples = kSamples;
  const Step mixed = step(4);
  ASSERT_GT(norm(mixed.gradients), 0.0);
  for (const std::int64_t batch : {1, 2}) {
    const Step separate = step(batch);
    EXPECT_LE(norm_of_difference(separate.gradients, mixed.gradients), bound(norm(mixed.gradients)))
        << batch;
    EXPECT_LE(norm_of_difference(separate.predictions, mixed.predictions),
              bound(norm(mixed.predictions)))
        << batch;
  }
}

TEST_F(SampledTraining, ResumesToTheSameBits) {
  samples = kSamples;
  train(run_dir);
  std::filesystem::remove_all(data_dir);
  train(dir.path / "stopped", RunMoment{2, 1});
  resume(dir.path / "stopped");
  expect_same_weights(run_dir, dir.path / "stopped");
}

TEST_F(SampledTraining, AnotherSampleOrAnotherRnaIsAnotherDataSet) {
  const auto inputs = [this](std::int64_t count, test::SmallRna kind) {
    std::filesystem::remove_all(data_dir);
    test::write_small_dataset(data_dir, pairs, count, kind);
    return model_inputs_of(Dataset(data_dir));
  };
  const ModelInputs plain = inputs(0, test::SmallRna::kEqual);
  const ModelInputs equal = inputs(kSamples, test::SmallRna::kEqual);
  const ModelInputs distinct = inputs(kSamples, test::SmallRna::kDistinct);
  EXPECT_EQ(std::set<std::string>({plain.rna, equal.rna, distinct.rna}).size(), 3U);
  EXPECT_NE(equal.train_pairs, plain.train_pairs);
  EXPECT_EQ(equal.train_pairs, distinct.train_pairs);
  std::swap(pairs[0].sample, pairs[1].sample);
  EXPECT_NE(inputs(kSamples, test::SmallRna::kEqual).train_pairs, equal.train_pairs);
}

class SampledPrediction : public SampledTraining {
 protected:
  SampledPrediction() { samples = kSamples; }

  /// A model on a data set with samples, frozen, in eval mode.
  struct Predictor {
    explicit Predictor(Run& of)
        : run(of),
          data(of.data),
          lasting(*of.backend, "test"),
          constants(*of.backend, "constants"),
          step(*of.backend, "step"),
          scratch(*of.backend, "scratch"),
          tape(*of.backend, step, scratch) {
      run.model.freeze();
      tape.eval();
    }

    /// Predictions of every gene by a forward pass that knows no trunks.
    std::vector<float> from(std::int32_t sample, const std::vector<float>& window) {
      Backend& backend = *run.backend;
      const Tensor dna = lasting.tensor({1, data.bins, data.dna_dim});
      const Tensor rna = lasting.tensor({1, data.genes_count(), data.rna_dim});
      const Tensor protein = lasting.tensor({1, data.genes_count(), data.protein_dim});
      backend.upload(dna, window.data());
      backend.upload(rna, data.rna_of(sample).data());
      backend.upload(protein, data.protein.data());
      const Var out = run.model.forward({.tape = tape,
                                         .dna = tape.constant(dna),
                                         .rna = tape.constant(rna),
                                         .protein = tape.constant(protein)});
      std::vector<float> values = to_host(backend, out->value);
      tape.clear();
      return values;
    }
    std::vector<float> window_of(std::int32_t enhancer) const {
      std::vector<float> window(static_cast<std::size_t>(data.bins * data.dna_dim));
      data.read_dna(enhancer, window.data());
      return window;
    }
    std::vector<float> of(std::int32_t sample, std::int32_t enhancer) {
      return from(sample, window_of(enhancer));
    }
    ControlPasses controls(const std::vector<Context>& contexts, std::int64_t batch,
                           const std::vector<float>& window) {
      DnaFeed feed(data, *run.backend, lasting, batch);
      return *control_passes({run.model, tape, constants, feed, data}, contexts, window, 5,
                             [](std::int64_t) { return true; });
    }

    Run& run;
    const Dataset& data;
    Arena lasting, constants, step, scratch;
    Tape tape;
  };

  static std::vector<float> row(PredictionTable& table, std::size_t place) {
    return {table.row(place), table.row(place) + 3};
  }
  static bool is_close(const std::vector<float>& a, const std::vector<float>& b) {
    return norm_of_difference(a, b) <= bound(norm(b));
  }

  // Two enhancers in several samples, and a sample with several enhancers.
  const std::vector<Context> contexts_{{0, 1}, {1, 0}, {1, 1}, {2, 0}, {2, 3}, {2, 4}};
};

TEST_F(SampledPrediction, ContextsAreDistinctAndOrderedBySample) {
  EXPECT_EQ(distinct_contexts({{.enhancer = 4, .sample = 1},
                               {.enhancer = 2, .sample = 1},
                               {.enhancer = 7, .sample = 0},
                               {.enhancer = 4, .gene = 1, .sample = 1}}),
            (std::vector<Context>{{0, 7}, {1, 2}, {1, 4}}));
  PredictionTable table({{0, 7}, {1, 2}, {1, 7}}, 2);
  for (std::size_t place = 0; place < 3; ++place) {
    for (int gene = 0; gene < 2; ++gene) {
      table.row(place)[gene] = static_cast<float>(10 * place) + static_cast<float>(gene);
    }
  }
  EXPECT_EQ(table.of({{.enhancer = 7, .gene = 1, .sample = 1}, {.enhancer = 7, .gene = 1}}),
            (std::vector<float>{21, 1}));
}

TEST_F(SampledPrediction, EachPairIsPredictedWithItsSamplesRna) {
  const auto run = make(pairs);
  Predictor predictor(*run);
  const std::vector<float> window = predictor.window_of(2);
  ControlPasses passes = predictor.controls(contexts_, 2, window);
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    const auto [sample, enhancer] = contexts_[i];
    EXPECT_TRUE(is_close(row(passes.real, i), predictor.of(sample, enhancer))) << i;
    EXPECT_TRUE(is_close(row(passes.mean_dna, i), predictor.from(sample, window))) << i;
  }
  EXPECT_FALSE(is_close(row(passes.real, 1), row(passes.real, 3)));          // one enhancer
  EXPECT_FALSE(is_close(row(passes.mean_dna, 2), row(passes.mean_dna, 3)));  // one window
  EXPECT_FALSE(is_close(row(passes.shuffled_genes, 1), row(passes.shuffled_genes, 3)));
  ControlPasses alone = predictor.controls(contexts_, 1, window);
  for (std::size_t i = 0; i < contexts_.size(); ++i) {
    EXPECT_TRUE(is_close(row(alone.real, i), row(passes.real, i))) << i;
  }
}

TEST_F(SampledPrediction, ShuffledDnaIsOfAnotherEnhancerInThePairsOwnSample) {
  const auto run = make(pairs);
  Predictor predictor(*run);
  ControlPasses passes = predictor.controls(contexts_, 4, predictor.window_of(2));
  ASSERT_EQ(std::ssize(passes.placed), kPlacedDraws);
  for (PredictionTable& table : passes.placed) {
    for (std::size_t i = 0; i < contexts_.size(); ++i) {
      std::vector<std::int32_t> donors;
      for (const std::int32_t enhancer : {0, 1, 3, 4}) {
        if (is_close(row(table, i), predictor.of(contexts_[i].sample, enhancer))) {
          donors.push_back(enhancer);
        }
      }
      ASSERT_EQ(donors.size(), 1U) << i;
      EXPECT_NE(donors.front(), contexts_[i].enhancer) << i;
    }
  }
  const std::vector<Pair> some{{.enhancer = 3, .gene = 2, .sample = 2}};
  const ControlPredictions controls = control_predictions(passes, some, kControlDraws, 5);
  ASSERT_EQ(std::ssize(controls.shuffled_dna), kPlacedDraws);
  EXPECT_EQ(controls.shuffled_dna[1].at(0), passes.placed[1].row(4)[2]);
}

TEST_F(SampledPrediction, AnExplainerTakesAnotherSamplesRnaAndTheFirstAgain) {
  const auto run = make(pairs);
  Predictor predictor(*run);
  Backend& backend = *run->backend;
  const Dataset& data = run->data;
  const Tensor rna = predictor.lasting.tensor({1, data.genes_count(), data.rna_dim});
  const Tensor protein = predictor.lasting.tensor({1, data.genes_count(), data.protein_dim});
  const Tensor dna = predictor.lasting.tensor({1, data.bins, data.dna_dim});
  backend.upload(rna, data.rna_of(0).data());
  backend.upload(protein, data.protein.data());
  backend.upload(dna, predictor.window_of(3).data());
  Explainer explainer(run->model, predictor.tape, rna, protein, predictor.lasting);
  const std::vector<float> z = explainer.project(dna);
  const std::vector<float> first = explainer.predict(z);
  EXPECT_TRUE(is_close(first, predictor.of(0, 3)));
  explainer.use_rna(data.rna_of(2));
  EXPECT_TRUE(is_close(explainer.predict(z), predictor.of(2, 3)));
  EXPECT_FALSE(is_close(explainer.predict(z), first));
  EXPECT_EQ(to_host(backend, explainer.rna()), data.rna_of(2));
  explainer.use_rna(data.rna_of(0));
  EXPECT_EQ(explainer.predict(z), first);
}

TEST_F(SampledPrediction, PairsToExplainAreNamedAndGroupedBySample) {
  test::write_small_dataset(data_dir, pairs, samples);
  const Dataset data(data_dir);
  EXPECT_EQ(pair_name(data, pairs[1]), "E1:B:s1");
  const std::vector<Pair> named =
      choose_pairs(choice_of({"E1:B:s2", "E0:A:s1", "E1:B:s1", "E1:C:s1"}), data);
  ASSERT_EQ(named.size(), 4U);
  EXPECT_EQ(pair_name(data, named[0]), "E1:B:s1");
  EXPECT_EQ(pair_name(data, named[1]), "E1:C:s1");
  EXPECT_EQ(pair_name(data, named[2]), "E1:B:s2");
  EXPECT_EQ(pair_name(data, named[3]), "E0:A:s1");
  EXPECT_EQ(named[0].beta, pairs[1].beta);
  EXPECT_TRUE(std::isnan(named[2].beta));  // not measured in this sample
  // One pass on a GPU is of one sample.
  const std::vector<EnhancerBatch> batches = cut_into_batches(named, 4, 10);
  for (const EnhancerBatch& batch : batches) {
    for (const std::vector<Pair>& of : batch.enhancers) {
      for (const Pair& pair : of) EXPECT_EQ(pair.sample, batch.enhancers[0][0].sample);
    }
  }
  EXPECT_EQ(batches.size(), 3U);
  const auto complaint = [&](const char* name) {
    return test::input_error([&] { choose_pairs(choice_of({name}), data); });
  };
  test::expect_message(complaint("E1:B"), "command line", "--pair",
                       "does not end in a sample of the data set (expected ENHANCER:GENE:SAMPLE, "
                       "got E1:B)");
  test::expect_message(complaint("E9:B:s1"), "command line", "--pair", "no enhancer named E9");
  test::write_bytes(dir.path / "list.tsv", "gene\tsample\tenhancer\nB\ts1\tE1\nB\ts7\tE1\n");
  PairChoice listed;
  listed.file = dir.path / "list.tsv";
  test::expect_message(test::input_error([&] { choose_pairs(listed, data); }), listed.file,
                       "line 3, column sample", "no sample named s7");
}

TEST_F(SampledPrediction, TablesAndSecondScreensNameTheSample) {
  pairs = {{Split::kTest, 0, 1, 0.5F}, {Split::kTest, 0, 1, 0.25F}};
  pairs[1].sample = 2;
  test::write_small_dataset(data_dir, pairs, samples);
  const Dataset data(data_dir);
  const std::filesystem::path table = dir.path / "predictions.tsv";
  test::write_bytes(table, predictions_tsv(data, pairs, {1.0F, 2.0F}, {}));
  EXPECT_EQ(test::read_bytes(table),
            "enhancer\tgene\tsample\tbeta\tprediction\nE0\tB\ts0\t0.5\t1\nE0\tB\ts2\t0.25\t2\n");
  EXPECT_EQ(read_pair_columns(table, data, pairs, {"prediction"}),
            (std::vector<std::vector<float>>{{1.0F, 2.0F}}));
  std::swap(pairs[0].sample, pairs[1].sample);
  test::expect_message(
      test::input_error([&] { read_pair_columns(table, data, pairs, {"prediction"}); }), table,
      "line 2, column enhancer",
      "is not the pair that the data set tests here (expected E0:B:s2, got E0:B:s0)");
  const std::filesystem::path screen = dir.path / "screen.tsv";
  test::write_bytes(screen, "enhancer\tgene\tsample\tbeta\nE0\tB\ts2\t7\nE0\tB\ts9\t8\n");
  const ScreenFile read = read_replicate(screen, data, pairs);
  EXPECT_EQ(read.effects, (Screen{{{0, 1, 2}, 7.0F}}));
  EXPECT_EQ(read.of_other_samples, 1);
  test::write_bytes(screen, "enhancer\tgene\tbeta\nE0\tB\t7\n");
  test::expect_message(test::input_error([&] { read_replicate(screen, data, pairs); }), screen,
                       "line 1, column sample", "missing");
}

}  // namespace
}  // namespace cdt

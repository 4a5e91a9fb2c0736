// A training run on the small data set, for tests of cdt-train's parts.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "apps/train/dna_check.h"
#include "apps/train/memory_plan.h"
#include "apps/train/options.h"
#include "apps/train/patterns.h"
#include "apps/train/ranks.h"
#include "apps/train/run_folder.h"
#include "apps/train/trainer.h"
#include "io/format/json.h"
#include "io/format/safetensors.h"
#include "model/checkpoint.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_backend.h"

namespace cdt::test {

inline std::vector<Pair> default_pairs() {
  std::vector<Pair> pairs;
  for (std::int32_t i = 0; i < 12; ++i) {
    const Split split = i < 9 ? Split::kTrain : Split::kVal;
    pairs.push_back({split, i % 5, i % 3, 0.1F * static_cast<float>(i % 4) - 0.2F, -1});
  }
  return pairs;
}

class TrainRun : public ::testing::Test {
 protected:
  void SetUp() override {
    options.settings = {.epochs = 3,
                        .batch_size = 2,
                        .lr = 1e-2,
                        .dropout = 0.1,
                        .hidden = 8,
                        .heads = 2,
                        .pool_heads = 2,
                        .feed_forward = 6,
                        .fusion = 5,
                        .dna_layers = 1};
    options.common.quiet = true;
  }
  /// Everything a run needs, constructed in the same order as in train.cc.
  struct Run {
    Run(const TrainOptions& options, const std::filesystem::path& data_path)
        : Run(options, data_path, make_lone_communicator()) {}
    Run(const TrainOptions& options, const std::filesystem::path& data_path,
        std::unique_ptr<Communicator> alone)
        : Run(options, data_path, *alone) {
      own_ranks = std::move(alone);
    }
    /// As one of several ranks, which outlive it.
    Run(const TrainOptions& options, const std::filesystem::path& data_path, Communicator& others)
        : ranks(others),
          data(data_path),
          config(model_config(options.settings, &data)),
          dna(data, "", {}, config.gene_window, share_of_dna(ranks)),
          backend(make_test_backend()),
          plan(plan_memory(config, options.settings, data.bins, *backend, data.samples_count())),
          lasting(*backend, "lasting"),
          model(config, *backend, lasting, false),
          trainer(options, plan, data, dna, ranks, *backend, lasting, trainable(options)) {
      model.initialise(1);
    }
    Cdt& trainable(const TrainOptions& options) {
      model.make_trainable(lasting, frozen_parameters(options.settings.freeze, model));
      return model;
    }
    std::unique_ptr<Communicator> own_ranks;
    Communicator& ranks;
    Dataset data;
    CdtConfig config;
    DnaCheck dna;
    std::unique_ptr<Backend> backend;
    MemoryPlan plan;
    Arena lasting;
    Cdt model;
    Trainer trainer;
  };
  std::unique_ptr<Run> make(const std::vector<Pair>& pairs) {
    write_small_dataset(data_dir, pairs, samples, rna);
    return std::make_unique<Run>(options, data_dir);
  }
  /// Runs to the end, or until a moment.
  void train(const std::filesystem::path& folder, const std::optional<RunMoment>& until = {}) {
    make(pairs)->trainer.run(RunFolder(folder, false), until);
  }
  /// Another run on the same data set.
  void again(const std::filesystem::path& folder) {
    Run(options, data_dir).trainer.run(RunFolder(folder, false));
  }
  void resume(const std::filesystem::path& path) {
    Run run(options, data_dir);
    const RunFolder folder(path, true);
    run.trainer.restore(folder, read_parameters(SafetensorsReader(folder.last_model()), run.model));
    run.trainer.run(folder);
  }
  static std::vector<nlohmann::json> lines(const std::filesystem::path& run) {
    std::ifstream file(run / "metrics.jsonl");
    std::vector<nlohmann::json> out;
    for (std::string line; std::getline(file, line);) out.push_back(parse_json(line, "line"));
    return out;
  }
  static void expect_same_weights(const std::filesystem::path& a, const std::filesystem::path& b) {
    for (const char* file : {"model.safetensors", "last/model.safetensors"}) {
      EXPECT_EQ(read_bytes(a / file), read_bytes(b / file)) << file;
    }
    EXPECT_EQ(read_bytes(a / "last" / "state.safetensors"),
              read_bytes(b / "last" / "state.safetensors"));
  }

  TempDir dir;
  std::filesystem::path data_dir = dir.path / "data";
  std::filesystem::path run_dir = dir.path / "run";
  TrainOptions options;
  std::vector<Pair> pairs = default_pairs();  // of train() and resume()
  std::int64_t samples = 0;                   // of the data set's RNA
  SmallRna rna = SmallRna::kDistinct;
};

}  // namespace cdt::test

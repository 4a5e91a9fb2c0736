// A new model that starts from the tensors of an older model's file that fit.
#include "apps/train/warm_start.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <sstream>
#include <string>
#include <vector>

#include "apps/train/options.h"
#include "io/format/safetensors.h"
#include "model/checkpoint.h"
#include "model/warm_start.h"
#include "tests/support/input_error.h"
#include "tests/support/relative_error.h"
#include "tests/support/small_model.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using Strings = std::vector<std::string>;

/// A data set as a model file describes it.
ModelInputs inputs_of(const Strings& genes) {
  return {genes, 16, 128, "hg38", std::string(16, 'a'), std::string(16, 'b'), "", "", ""};
}

class WarmStartTest : public ::testing::Test {
 protected:
  /// Writes an older model, drawn from seed 3, to `file`. metadata: what it records besides its
  /// sizes.
  void save(const CdtConfig& config, const std::map<std::string, std::string>& metadata) {
    Cdt model(config, *backend, lasting, false);
    model.initialise(3);
    save_model(file, model, *backend, metadata);
  }
  /// Writes the same model as a plain state_dict, after `change` to names, shapes and values.
  void save_plain(const CdtConfig& config,
                  const std::function<void(std::vector<TensorToWrite>&)>& change = {}) {
    save(config, {});
    const SafetensorsReader reader(file);
    std::vector<std::vector<float>> values;
    std::vector<TensorToWrite> tensors;
    for (const TensorInfo& info : reader.tensors()) {
      const std::int64_t count = std::accumulate(info.shape.begin(), info.shape.end(),
                                                 std::int64_t{1}, std::multiplies<>());
      reader.read(info.name, values.emplace_back(static_cast<std::size_t>(count)).data());
      tensors.push_back({info.name, info.shape, values.back().data(), {}});
    }
    if (change) change(tensors);
    write_safetensors(file, tensors, {});
  }

  /// The new model of seed 5 that starts from the file.
  WarmStart start(const CdtConfig& config, const Strings& genes,
                  const WarmStartChoice& choice = {}) {
    model = std::make_unique<Cdt>(config, *backend, lasting, false);
    model->initialise(5);
    fresh.clear();
    for (const Parameter& p : model->parameters()) fresh[p.name] = values(p);
    ::testing::internal::CaptureStderr();
    try {
      WarmStart out =
          start_from(SafetensorsReader(file), inputs_of(genes), choice, *backend, *model);
      notes = ::testing::internal::GetCapturedStderr();
      return out;
    } catch (...) {
      notes = ::testing::internal::GetCapturedStderr();
      throw;
    }
  }
  std::string complaint(const CdtConfig& config, const Strings& genes,
                        const WarmStartChoice& choice = {}) {
    return input_error([&] { start(config, genes, choice); });
  }

  std::vector<float> values(const Parameter& p) const {
    return to_host(*backend, p.variable.value);
  }
  std::vector<float> stored(const std::string& name, std::size_t count) const {
    std::vector<float> out(count);
    SafetensorsReader(file).read(name, out.data());
    return out;
  }
  /// Every tensor that was taken has the file's values, every other one the drawn values; except
  /// the last layer if it is matched by gene.
  void expect_taken(const WarmStart& start) const {
    for (const Parameter& p : model->parameters()) {
      if (start.by_gene && p.name.starts_with("task_layer.3")) continue;
      const bool taken = start.taken.count(p.name) > 0;
      EXPECT_EQ(values(p), taken ? stored(p.name, fresh.at(p.name).size()) : fresh.at(p.name))
          << p.name;
    }
  }

  test::TempDir dir;
  std::filesystem::path file = dir.path / "old.safetensors";
  std::unique_ptr<Backend> backend = test::make_test_backend();
  Arena lasting{*backend, "lasting"};
  std::unique_ptr<Cdt> model;
  std::map<std::string, std::vector<float>> fresh;
  std::string notes;
  const CdtConfig config = test::small_config(Variant::kReleased, 9, 2);
  const Strings genes = {"A", "B", "C", "D", "E", "F"};
};

Strings names_of(const std::vector<WarmStart::Misfit>& misfits) {
  Strings out;
  for (const WarmStart::Misfit& misfit : misfits) out.push_back(misfit.name);
  return out;
}

TEST_F(WarmStartTest, TakesAllOfAModelOfEqualSizesAndGenes) {
  save(config, inputs_metadata(inputs_of(genes)));
  const WarmStart out = start(config, genes);
  EXPECT_EQ(out.taken.size(), model->parameters().size());
  EXPECT_TRUE(out.by_gene);
  EXPECT_TRUE(out.misfits.empty() && out.unused.empty() && out.fresh_genes.empty());
  EXPECT_TRUE(out.other_embeddings.empty());
  EXPECT_EQ(notes, "");
  for (const Parameter& p : model->parameters()) {
    EXPECT_EQ(values(p), stored(p.name, fresh.at(p.name).size())) << p.name;
  }
}

TEST_F(WarmStartTest, OtherFoundationModelsGetNewProjectors) {
  save(config, inputs_metadata(inputs_of(genes)));
  for (const auto& [size, projector] : {std::pair(&CdtConfig::dna_dim, "dna_projector"),
                                        {&CdtConfig::rna_dim, "rna_projector"},
                                        {&CdtConfig::protein_dim, "protein_projector"}}) {
    CdtConfig other = config;
    other.*size = 31;
    const WarmStart out = start(other, genes);
    const std::string weight = std::string(projector) + ".linear.weight";
    ASSERT_EQ(names_of(out.misfits), Strings{weight});
    EXPECT_EQ(out.misfits[0].here, (std::vector<std::int64_t>{12, 31}));
    EXPECT_EQ(out.misfits[0].there, (std::vector<std::int64_t>{12, config.*size}));
    expect_taken(out);
  }
}

TEST_F(WarmStartTest, RowsOfTheLastLayerGoByGene) {
  for (const Variant variant : {Variant::kReleased, Variant::kPaper}) {
    const CdtConfig old = test::small_config(variant, 9, 2);
    save(old, inputs_metadata(inputs_of(genes)));
    CdtConfig other = old;
    other.genes = 5;
    const Strings here = {"E", "new 1", "A", "F", "new 2"};
    const WarmStart out = start(other, here);
    EXPECT_EQ(out.fresh_genes, (Strings{"new 1", "new 2"}));
    EXPECT_EQ(out.unused_genes, (Strings{"B", "C", "D"}));
    EXPECT_EQ(out.taken.size(), model->parameters().size());
    const std::string layer = variant == Variant::kReleased ? "task_layer.3" : "task_layer";
    for (const auto& [name, width] : {std::pair(".weight", std::int64_t{12}), {".bias", 1}}) {
      std::vector<float> want = fresh.at(layer + name);
      const std::vector<float> all = stored(layer + name, static_cast<std::size_t>(6 * width));
      for (const auto& [row, from] : {std::pair(0, 4), {2, 0}, {3, 5}}) {
        std::copy_n(all.begin() + from * width, width, want.begin() + row * width);
      }
      EXPECT_EQ(values(model->parameter(layer + name)), want) << name;
    }
  }
  // No gene in common: the last layer starts from random values, the rest is taken.
  const WarmStart out = start(config, {"1", "2", "3", "4", "5", "6"});
  EXPECT_EQ(names_of(out.misfits).back(), "task_layer.3.bias");
}

// The position of a gene does not matter: head, RNA and protein use the same order.
TEST_F(WarmStartTest, GenesInAnotherOrderArePredictedTheSame) {
  save(config, inputs_metadata(inputs_of(genes)));
  const std::vector<std::size_t> order = {4, 2, 0, 5, 1, 3};
  Strings permuted;
  for (const std::size_t gene : order) permuted.push_back(genes[gene]);
  Arena step(*backend, "step"), scratch(*backend, "scratch");
  Tape tape(*backend, step, scratch);
  const auto rows = [&](std::int64_t width, std::uint32_t stream, bool moved) {
    const std::vector<float> host = test::draws({6, width}, stream);
    std::vector<float> out;
    for (std::size_t i = 0; i < 6; ++i) {
      const auto from = static_cast<std::ptrdiff_t>(moved ? order[i] : i) * width;
      out.insert(out.end(), host.begin() + from, host.begin() + from + width);
    }
    const Tensor t = lasting.tensor({1, 6, width});
    backend->upload(t, out.data());
    return tape.constant(t);
  };
  const auto predictions = [&](const Strings& in_order) {
    start(config, in_order);
    tape.clear();
    const bool moved = in_order != genes;
    const Tensor dna = test::random_tensor(*backend, lasting, {1, test::kBins, 9}, 1);
    return to_host(*backend, model
                                 ->forward({.tape = tape,
                                            .dna = tape.constant(dna),
                                            .rna = rows(config.rna_dim, 2, moved),
                                            .protein = rows(config.protein_dim, 3, moved)})
                                 ->value);
  };
  const std::vector<float> straight = predictions(genes);
  const std::vector<float> moved = predictions(permuted);
  std::vector<float> back(6);
  for (std::size_t i = 0; i < 6; ++i) back[order[i]] = moved[i];
  EXPECT_LE(test::relative_error(back, straight), 64 * 0x1.0p-23);
  EXPECT_GT(test::relative_error(moved, straight), 0.01);
}

TEST_F(WarmStartTest, APlainStateDictNamesNoGenes) {
  save_plain(config, [](std::vector<TensorToWrite>& tensors) {
    for (TensorToWrite& tensor : tensors) tensor.name.insert(0, "module.");
  });
  const WarmStart whole = start(config, genes);
  EXPECT_FALSE(whole.by_gene);
  EXPECT_EQ(whole.taken.size(), model->parameters().size());
  EXPECT_NE(notes.find("begins with module."), std::string::npos) << notes;
  EXPECT_NE(notes.find("heads are not recorded; the model has 3, and 2"), std::string::npos);

  CdtConfig other = config;
  other.genes = 4;
  const WarmStart none = start(other, {"A", "B", "C", "D"});
  EXPECT_EQ(names_of(none.misfits), (Strings{"task_layer.3.weight", "task_layer.3.bias"}));

  const WarmStart named = start(other, {"D", "Z", "B", "Y"}, {.genes = genes, .except = {}});
  EXPECT_TRUE(named.by_gene);
  EXPECT_TRUE(named.misfits.empty());
  const std::vector<float> bias = stored("module.task_layer.3.bias", 6);
  const std::vector<float>& drawn = fresh.at("task_layer.3.bias");
  EXPECT_EQ(values(model->parameter("task_layer.3.bias")),
            (std::vector<float>{bias[3], drawn[1], bias[1], drawn[3]}));
  expect_message(complaint(other, {"A", "B", "C", "D"}, {.genes = {"A", "B"}, .except = {}}), file,
                 "task_layer.3.weight", "--init-from-genes names (expected 2, got 6)");
}

TEST_F(WarmStartTest, LayersThatAreThereAreTaken) {
  save(config, inputs_metadata(inputs_of(genes)));
  CdtConfig other = config;
  other.dna_layers = 3;
  const WarmStart more = start(other, genes);
  EXPECT_EQ(more.misfits.size(), 12U);
  EXPECT_TRUE(more.misfits[0].there.empty());
  EXPECT_TRUE(more.misfits[0].name.starts_with("dna_self_attn_layers.2."));
  expect_taken(more);
  std::ostringstream text;
  print_warm_start(text, more, *model, "OLD");
  EXPECT_NE(text.str().find("\n  dna_self_attn_layers.2          12 tensors, not in the file\n"),
            std::string::npos)
      << text.str();
  other.dna_layers = 1;
  const WarmStart fewer = start(other, genes);
  EXPECT_TRUE(fewer.misfits.empty());
  EXPECT_EQ(fewer.unused.size(), 12U);
  expect_taken(fewer);
  text.str("");
  print_warm_start(text, fewer, *model, "OLD");
  EXPECT_NE(
      text.str().find("not used from the file:\n  dna_self_attn_layers.1          12 tensors\n"),
      std::string::npos)
      << text.str();
}

TEST_F(WarmStartTest, WhatIsExceptedBeginsAnew) {
  save(config, inputs_metadata(inputs_of(genes)));
  const WarmStart out =
      start(config, genes, {.genes = {}, .except = {"vce.rna_query", "task_layer.3.weight"}});
  EXPECT_EQ(out.excepted, (std::set<std::string>{"vce.rna_query", "task_layer.3.weight"}));
  EXPECT_TRUE(out.misfits.empty() && out.unused.empty());
  EXPECT_EQ(values(model->parameter("vce.rna_query")), fresh.at("vce.rna_query"));
  EXPECT_EQ(values(model->parameter("task_layer.3.weight")), fresh.at("task_layer.3.weight"));
}

TEST_F(WarmStartTest, LastLayerOfRanksIsNoStartForEffects) {
  std::map<std::string, std::string> metadata = inputs_metadata(inputs_of(genes));
  metadata.merge(output_metadata({.ranks = true}));
  save(config, metadata);
  const Strings last{"task_layer.3.weight", "task_layer.3.bias"};
  const WarmStart out = start(config, genes);
  EXPECT_EQ(out.other_outputs, last);
  EXPECT_TRUE(out.misfits.empty() && out.unused.empty());
  EXPECT_EQ(values(model->parameter(last[0])), fresh.at(last[0]));
  std::ostringstream text;
  print_warm_start(text, out, *model, "OLD");
  EXPECT_NE(text.str().find("one model predicts effects, the other ranks"), std::string::npos);
  EXPECT_EQ(text.str().find("rows of the last layer"), std::string::npos) << text.str();
  const WarmStart alike =
      start(config, genes, {.genes = {}, .except = {}, .units = {.ranks = true}});
  EXPECT_TRUE(alike.other_outputs.empty());
  EXPECT_NE(values(model->parameter(last[0])), fresh.at(last[0]));
}

TEST_F(WarmStartTest, OtherEmbeddingsOfTheSameGenesAreTold) {
  ModelInputs inputs = inputs_of(genes);
  inputs.protein = std::string(16, 'c');
  inputs.bins = 99;
  save(config, inputs_metadata(inputs));
  EXPECT_EQ(start(config, genes).other_embeddings, Strings{"protein"});
  EXPECT_EQ(start(config, {"F", "E", "D", "C", "B", "A"}).other_embeddings, Strings{});
}

TEST_F(WarmStartTest, RefusesWhatCannotBeMeant) {
  save(config, inputs_metadata(inputs_of(genes)));
  CdtConfig other = config;
  other.hidden = 24;
  expect_message(complaint(other, genes), file, "hidden",
                 "--hidden 12 makes one of the file's "
                 "(expected 24, got 12)");
  other = config;
  other.heads = 2;
  expect_message(complaint(other, genes), file, "heads", "--heads 3");
  other = config;
  other.pool_heads = 3;
  expect_message(complaint(other, genes), file, "pool-heads", "(expected 3, got 2)");
  expect_message(complaint(config, genes, {.genes = genes, .except = {}}), file, "genes",
                 "are recorded in the file");
  save(config, {{"genes", "A\nB"}});
  expect_message(complaint(config, genes), file, "metadata.genes", "expected 6, got 2");

  save_plain(config, [](std::vector<TensorToWrite>& tensors) { tensors.resize(3); });
  EXPECT_EQ(start(config, genes).taken.size(), 3U);
  save_plain(config, [](std::vector<TensorToWrite>& tensors) {
    for (TensorToWrite& tensor : tensors) tensor.name.insert(0, "encoder.");
  });
  expect_message(complaint(config, genes), file, "tensors", "fits the model by name and shape");
  std::vector<float> bad(12);
  save_plain(config, [&](std::vector<TensorToWrite>& tensors) {
    for (TensorToWrite& tensor : tensors) {
      if (tensor.name == "rna_projector.norm.bias") tensor.data = bad.data();
    }
  });
  EXPECT_EQ(complaint(config, genes), "");
  bad[7] = std::numeric_limits<float>::infinity();
  save_plain(config, [&](std::vector<TensorToWrite>& tensors) {
    for (TensorToWrite& tensor : tensors) {
      if (tensor.name == "rna_projector.norm.bias") tensor.data = bad.data();
    }
  });
  expect_message(complaint(config, genes), file, "rna_projector.norm.bias", "element 7 is inf");
}

}  // namespace
}  // namespace cdt

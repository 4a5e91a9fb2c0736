// The data that a model file records from its training, compared with other data.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "io/format/digest.h"
#include "io/format/safetensors.h"
#include "model/inputs.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_backend.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;

/// A file with a model of the small data set (genes A, B, C).
class ModelInputsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    test::write_small_dataset(data_dir, {{Split::kTrain, 0, 0, 0.5F, -1},
                                         {Split::kTrain, 1, 2, -0.25F, -1},
                                         {Split::kVal, 2, 1, 0.125F, -1}});
    const Dataset data(data_dir);
    config.dna_dim = data.dna_dim;
    config.rna_dim = data.rna_dim;
    config.protein_dim = data.protein_dim;
    config.genes = data.genes_count();
    config.hidden = 4;
    config.heads = 2;
    config.pool_heads = 2;
    config.feed_forward = 3;
    config.fusion = 5;
    metadata = inputs_metadata(model_inputs_of(data));
    save();
  }
  /// The model file with its original metadata.
  void save() {
    const std::unique_ptr<Backend> backend = test::make_test_backend();
    Arena lasting(*backend, "lasting");
    Cdt model(config, *backend, lasting, false);
    model.initialise(5);
    save_model(model_file, model, *backend, metadata);
  }
  /// The stderr output when the model is used with `data`.
  std::string fit(Dataset* data, const ModelOverrides& choice = {}) const {
    ::testing::internal::CaptureStderr();
    fit_to_model(SafetensorsReader(model_file), config, choice, data);
    return ::testing::internal::GetCapturedStderr();
  }
  std::string complaint(const std::function<void(Dataset*)>& change,
                        const ModelOverrides& choice = {}) const {
    Dataset data(data_dir);
    change(&data);
    return input_error([&] { fit_to_model(SafetensorsReader(model_file), config, choice, &data); });
  }

  test::TempDir dir;
  std::filesystem::path data_dir = dir.path / "data";
  std::filesystem::path model_file = dir.path / "model.safetensors";
  CdtConfig config;
  std::map<std::string, std::string> metadata;
};

TEST_F(ModelInputsTest, ComeBackAsTheyWereWritten) {
  const Dataset data(data_dir);
  const auto back = read_model_inputs(SafetensorsReader(model_file), config.genes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(inputs_metadata(*back), metadata);
  EXPECT_EQ(back->genes, data.genes);
  EXPECT_EQ(back->train_pairs, digest_of("E0\tA\nE1\tC\n"));
  EXPECT_EQ(back->val_pairs, digest_of("E2\tB\n"));
  Dataset same(data_dir);
  EXPECT_EQ(fit(&same), "");
  EXPECT_EQ(fit(&same, {.match_genes = true}), "");
}

TEST_F(ModelInputsTest, GenesInAnotherOrderAreRefusedOrMapped) {
  const auto reverse = [](Dataset* data) { data->choose_genes({2, 1, 0}); };
  expect_message(
      complaint(reverse), model_file, "genes",
      "2 of 3 are elsewhere; --match-genes maps them by name; gene 1 (expected A, got C)");
  expect_message(complaint(reverse, {.other_inputs = true}), model_file, "genes", "2 of 3");
  const Dataset original(data_dir);
  Dataset data(data_dir);
  reverse(&data);
  EXPECT_NE(data.rna, original.rna);
  EXPECT_NE(fit(&data, {.match_genes = true}).find("genes are brought into the order of"),
            std::string::npos);
  EXPECT_EQ(data.genes, original.genes);
  EXPECT_EQ(data.rna, original.rna);
  EXPECT_EQ(data.protein, original.protein);
  EXPECT_EQ(data.find_gene("C"), 2);
  ASSERT_EQ(data.pairs.size(), original.pairs.size());
  for (std::size_t i = 0; i < data.pairs.size(); ++i) {
    EXPECT_EQ(data.pairs[i].gene, original.pairs[i].gene);
    EXPECT_EQ(data.pairs[i].beta, original.pairs[i].beta);
  }
}

TEST_F(ModelInputsTest, GenesTheModelLacksAreLeftOutWithTheirPairs) {
  Dataset narrow(data_dir);
  EXPECT_EQ(narrow.choose_genes({2, 0}), 1);
  config.genes = 2;
  metadata = inputs_metadata(model_inputs_of(narrow));
  save();
  expect_message(
      complaint([](Dataset*) {}), model_file, "genes",
      "it has 1 gene (B) that the model lacks; --match-genes maps by name and leaves these "
      "out; gene 1 (expected C, got A)");
  Dataset data(data_dir);
  const std::string note = fit(&data, {.match_genes = true});
  EXPECT_NE(note.find("left out: 1 gene (B) that the model lacks, with their 1 pair\n"),
            std::string::npos)
      << note;
  EXPECT_EQ(data.genes, narrow.genes);
  EXPECT_EQ(data.pairs.size(), 2U);
}

TEST_F(ModelInputsTest, AGeneTheDataLackIsRefusedByName) {
  const auto rename = [](Dataset* data) { data->genes[1] = "other"; };
  expect_message(complaint(rename), model_file, "genes",
                 "it lacks 1 gene (B) of the model, and has 1 gene (other) that the model lacks");
  expect_message(complaint(rename, {.match_genes = true}), model_file, "genes",
                 "lacks 1 gene (B) of the model's 3");
}

TEST_F(ModelInputsTest, OtherInputsAreRefusedUnlessTheyAreMeant) {
  const std::map<std::string, std::function<void(Dataset*)>> changes = {
      {"bins", [](Dataset* data) { data->bins = 5; }},
      {"bin_bp", [](Dataset* data) { data->bin_bp = 1024; }},
      {"assembly", [](Dataset* data) { data->assembly = "hg19"; }},
      {"rna", [](Dataset* data) { data->rna[5] += 1.0F; }},
      {"protein", [](Dataset* data) { data->protein[0] = -data->protein[0]; }}};
  for (const auto& [field, change] : changes) {
    expect_message(complaint(change), model_file, field,
                   "differs in the data set " + data_dir.string() + "; give --other-inputs");
    Dataset data(data_dir);
    change(&data);
    const std::string warning = fit(&data, {.other_inputs = true});
    EXPECT_NE(warning.find(": warning: " + model_file.string()), std::string::npos) << warning;
    EXPECT_NE(warning.find(": " + field + " (expected "), std::string::npos) << warning;
  }
  const auto two = [&](Dataset* data) {
    changes.at("bin_bp")(data);
    changes.at("rna")(data);
  };
  expect_message(
      complaint(two), model_file, "bin_bp",
      ", and so do rna; give --other-inputs to continue anyway (expected 128, got 1024)");
  Dataset synonym(data_dir);
  synonym.assembly = "GRCh38";
  EXPECT_EQ(fit(&synonym), "");
}

/// A model with bin positions has features for its number of bins and no other.
TEST_F(ModelInputsTest, OtherBinsDoNotFitAModelWithBinPositions) {
  const auto one_bin_more = [](Dataset* data) { ++data->bins; };
  EXPECT_EQ(complaint(one_bin_more, {.other_inputs = true}), "");
  config.bin_position = true;
  config.bins = Dataset(data_dir).bins;
  save();
  expect_message(complaint(one_bin_more, {.other_inputs = true}), model_file, "bins",
                 "does not fit the data set " + data_dir.string());
  EXPECT_EQ(complaint([](Dataset* data) { ++data->bin_bp; }, {.other_inputs = true}), "");
}

TEST_F(ModelInputsTest, PairsTellWhereTheModelWasTrained) {
  const SafetensorsReader file(model_file);
  const auto with = [&](const std::function<void(std::vector<Pair>*)>& change) {
    Dataset data(data_dir);
    change(&data.pairs);
    EXPECT_EQ(fit(&data), "");  // other pairs are not an error
    return trained_here(file, data);
  };
  const auto same = [](std::vector<Pair>* pairs) {
    std::swap(pairs->front(), pairs->back());
    for (Pair& pair : *pairs) pair.beta += 1.0F;
    pairs->push_back({Split::kTest, 4, 0, 0.0F, -1});
  };
  EXPECT_EQ(with(same), TrainedHere::kYes);
  const std::vector<std::function<void(std::vector<Pair>*)>> others = {
      [](auto* pairs) {
        pairs->push_back({Split::kTrain, 3, 1, 0.0F, -1});
      },
      [](auto* pairs) {
        pairs->push_back({Split::kVal, 3, 1, 0.0F, -1});
      },
      [](auto* pairs) { pairs->pop_back(); },
      [](auto* pairs) { (*pairs)[0].gene = 1; },
      [](auto* pairs) { std::swap((*pairs)[0].gene, (*pairs)[1].gene); },
      [](auto* pairs) { (*pairs)[0].split = Split::kTest; },
      [](auto* pairs) { std::swap((*pairs)[0].split, (*pairs)[2].split); }};
  for (const auto& other : others) EXPECT_EQ(with(other), TrainedHere::kNo);
}

TEST_F(ModelInputsTest, PairsOfGenesTheModelLacksDoNotCount) {
  Dataset narrow(data_dir);
  narrow.choose_genes({2, 0});
  config.genes = 2;
  metadata = inputs_metadata(model_inputs_of(narrow));
  save();
  Dataset wide(data_dir);
  EXPECT_EQ(trained_here(SafetensorsReader(model_file), wide), TrainedHere::kNo);
  fit(&wide, {.match_genes = true});
  EXPECT_EQ(trained_here(SafetensorsReader(model_file), wide), TrainedHere::kYes);
}

TEST_F(ModelInputsTest, AFileThatDoesNotRecordPairsSaysNothingOfThem) {
  metadata.erase("train_pairs");
  metadata.erase("val_pairs");
  save();
  Dataset data(data_dir);
  EXPECT_EQ(fit(&data), "");
  EXPECT_EQ(trained_here(SafetensorsReader(model_file), data), TrainedHere::kUnknown);
  const auto back = read_model_inputs(SafetensorsReader(model_file), config.genes);
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(inputs_metadata(*back), metadata);
}

TEST_F(ModelInputsTest, AFileThatRecordsNothingIsUsedWithAWarning) {
  metadata.clear();
  save();
  Dataset data(data_dir);
  const std::string warning = fit(&data);
  EXPECT_NE(warning.find("could not be checked\n"), std::string::npos) << warning;
  EXPECT_EQ(warning.find('\n'), warning.size() - 1);
  EXPECT_EQ(trained_here(SafetensorsReader(model_file), data), TrainedHere::kUnknown);
  expect_message(complaint([](Dataset*) {}, {.match_genes = true}), model_file, "genes",
                 "does not record the model's genes");
  expect_message(complaint([](Dataset* d) {
                   d->choose_genes({0, 1});
                 }),
                 model_file, "genes", "expected 3, got 2");
  expect_message(complaint([](Dataset* d) { d->dna_dim = 9; }), model_file, "dna_dim",
                 "expected 3, got 9");
}

TEST_F(ModelInputsTest, DamagedMetadataAreNamed) {
  const auto with = [&](const std::string& key, const std::string& value) {
    const std::map<std::string, std::string> sound = metadata;
    metadata[key] = value;
    save();
    metadata = sound;
    return complaint([](Dataset*) {});
  };
  expect_message(with("genes", "A\nB"), model_file, "metadata.genes", "expected 3, got 2");
  expect_message(with("genes", "A\nB\nA"), model_file, "metadata.genes",
                 "gene 3 is there twice: A");
  expect_message(with("genes", "A\n\nC"), model_file, "metadata.genes", "gene 2");
  expect_message(with("genes", "A\nB\n" + std::string(2000, 'x')), model_file, "metadata.genes",
                 "got 2000 bytes");
  expect_message(with("bins", "0"), model_file, "metadata.bins", "got 0");
  expect_message(with("bin_bp", "wide"), model_file, "metadata.bin_bp", "got wide");
  expect_message(with("rna", "0123"), model_file, "metadata.rna", "16 hexadecimal digits");
  expect_message(with("protein", "0123456789ABCDEF"), model_file, "metadata.protein",
                 "is no digest");
  expect_message(with("val_pairs", "none"), model_file, "metadata.val_pairs", "is no digest");
  const std::string val_pairs = metadata.at("val_pairs");
  metadata.erase("val_pairs");
  save();
  expect_message(complaint([](Dataset*) {}), model_file, "metadata.val_pairs", "is missing");
  metadata["val_pairs"] = val_pairs;
  metadata.erase("assembly");
  save();
  expect_message(complaint([](Dataset*) {}), model_file, "metadata.assembly", "is missing");
}

}  // namespace
}  // namespace cdt

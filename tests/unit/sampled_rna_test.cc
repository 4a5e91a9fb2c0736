// RNA that differs between samples: written, read one sample at a time, checked, carried along, and
// refused by programs that cannot use it.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <limits>
#include <string>
#include <vector>

#include "io/dataset/dataset_writer.h"
#include "model/fingerprint.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::read_bytes;
using test::write_bytes;

/// Three samples of the genes A, B and C with two features: value 100 s + 10 g + i.
class SampledRnaTest : public testing::Test {
 protected:
  SampledRnaTest() {
    DatasetWriter::Sizes sizes{
        .enhancers = 1, .bins = 1, .dna_dim = 1, .genes = 3, .rna_dim = 2, .protein_dim = 1};
    sizes.samples = 3;
    DatasetWriter writer(dir_, sizes);
    const float one = 1.0F;
    writer.append_dna(&one, 1);
    std::vector<float> rna;
    for (int sample = 0; sample < 3; ++sample) {
      for (int gene = 0; gene < 3; ++gene) {
        for (const float value : row(sample, gene)) rna.push_back(value);
      }
    }
    EXPECT_THROW(writer.write_rna({1, 2, 3, 4, 5, 6}, kGenes), Error);
    EXPECT_THROW(writer.write_sampled_rna(rna, {"s0", "s1"}, kGenes), Error);
    writer.write_sampled_rna(rna, {"s0", "s1", "s2"}, kGenes);
    writer.write_protein({1, 2, 3}, kGenes);
    writer.write_enhancers({{"chr1", 10, 21, "e"}});
    writer.write_pairs({{.gene = 1, .beta = 1, .sample = 2},
                        {.gene = 1, .beta = 2, .sample = 0},
                        {.gene = 2, .beta = 3, .sample = 2}});
    writer.finish("{}");
  }

  static std::vector<float> row(int sample, int gene) {
    const auto first = static_cast<float>(100 * sample + 10 * gene);
    return {first, first + 1};
  }
  static std::vector<float> rows(int sample, const std::vector<int>& genes) {
    std::vector<float> out;
    for (const int gene : genes) {
      for (const float value : row(sample, gene)) out.push_back(value);
    }
    return out;
  }
  static std::vector<float> read(const Dataset& data, std::int32_t sample) {
    std::vector<float> out(static_cast<std::size_t>(data.genes_count() * data.rna_dim));
    data.read_rna(sample, out.data());
    return out;
  }
  Dataset load() const { return Dataset(dir_); }
  std::string complaint() {
    return input_error([&] { load(); });
  }
  void edit(const std::string& file, const std::string& from, const std::string& to) {
    std::string text = read_bytes(dir_ / file);
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    write_bytes(dir_ / file, text.replace(at, from.size(), to));
  }

  const std::vector<std::string> kGenes{"A", "B", "C"};
  test::TempDir temp_;
  std::filesystem::path dir_ = temp_.path / "data";
};

TEST_F(SampledRnaTest, IsReadOneSampleAtATime) {
  Dataset data = load();
  EXPECT_EQ(data.samples, (std::vector<std::string>{"s0", "s1", "s2"}));
  EXPECT_TRUE(data.rna.empty());
  EXPECT_EQ(column(data.pairs, &Pair::sample), (std::vector<std::int32_t>{2, 0, 2}));
  for (int sample = 0; sample < 3; ++sample) {
    EXPECT_EQ(read(data, sample), rows(sample, {0, 1, 2}));
  }
  EXPECT_THROW(read(data, 3), Error);
  EXPECT_EQ(read_bytes(dir_ / "pairs.tsv"),
            "split\tenhancer\tgene\tbeta\tsample\ntrain\te\tB\t1\ts2\ntrain\te\tB\t2\ts0\n"
            "train\te\tC\t3\ts2\n");
}

TEST_F(SampledRnaTest, FollowsTheGenes) {
  Dataset data = load();
  EXPECT_EQ(data.choose_genes({2, 0, 1}), 0);
  EXPECT_EQ(read(data, 1), rows(1, {2, 0, 1}));
  EXPECT_EQ(data.choose_genes({2, 0}), 0);
  EXPECT_EQ(read(data, 2), rows(2, {1, 2}));
  EXPECT_EQ(column(data.pairs, &Pair::sample), (std::vector<std::int32_t>{2, 0, 2}));
}

TEST_F(SampledRnaTest, MistakesNameFileAndField) {
  edit("pairs.tsv", "s2", "s3");
  expect_message(complaint(), dir_ / "pairs.tsv", "line 2, column sample",
                 "a name of the sample list, got s3");
  edit("pairs.tsv", "sample", "samples");
  expect_message(complaint(), dir_ / "pairs.tsv", "line 1, column sample", "missing");
  edit("rna.samples.txt", "s1", "s0");
  expect_message(complaint(), dir_ / "rna.samples.txt", "line 2", "s0 is in line 1 already");
  edit("rna.samples.txt", "s0\ns2", "s1");
  expect_message(complaint(), dir_ / "rna.samples.txt", "lines", "expected 3, got 2");
  write_bytes(dir_ / "rna.f32", std::string(71, 'x'));
  edit("rna.samples.txt", "s1", "s1\ns2");
  expect_message(complaint(), dir_ / "rna.f32", "size", "3 x 3 x 2 x 4 = 72 bytes, got 71");
  edit("dataset.json", "\"rna.f32\"", "\"rna.f32.gz\"");
  expect_message(complaint(), dir_ / "dataset.json", "rna.file", "cannot be compressed");
}

TEST_F(SampledRnaTest, BadValuesNameSampleGeneAndFeature) {
  std::string bytes = read_bytes(dir_ / "rna.f32");
  const auto nan = std::bit_cast<std::array<char, 4>>(std::numeric_limits<float>::quiet_NaN());
  write_bytes(dir_ / "rna.f32", bytes.replace(4 * 9, 4, nan.data(), 4));
  Dataset data = load();
  EXPECT_EQ(read(data, 0), rows(0, {0, 1, 2}));
  expect_message(input_error([&] { read(data, 1); }), dir_ / "rna.f32",
                 "sample s1, gene B, feature 1", "got nan");
  data.choose_genes({2, 0});
  EXPECT_EQ(read(data, 1), rows(1, {2, 0})) << "the bad row is not read";
}

TEST_F(SampledRnaTest, AColumnWithoutSamplesIsIgnored) {
  edit("dataset.json", "      3,\n      3,\n      2\n", "      3,\n      2\n");
  edit("dataset.json", ",\n    \"samples\": \"rna.samples.txt\"", "");
  write_bytes(dir_ / "rna.f32", read_bytes(dir_ / "rna.f32").substr(0, 24));
  const Dataset data(dir_);
  EXPECT_TRUE(data.samples.empty());
  EXPECT_EQ(data.rna, rows(0, {0, 1, 2}));
  EXPECT_EQ(column(data.pairs, &Pair::sample), (std::vector<std::int32_t>{0, 0, 0}));
}

TEST_F(SampledRnaTest, IsCarriedAlongAndCountsInTheDigest) {
  const Dataset data = load();
  DatasetWriter writer(temp_.path / "shared", data);
  writer.write_pairs(data.pairs);
  writer.finish("{}");
  const Dataset shared(temp_.path / "shared");
  EXPECT_EQ(read(shared, 1), rows(1, {0, 1, 2}));
  EXPECT_EQ(column(shared.pairs, &Pair::sample), column(data.pairs, &Pair::sample));
  const std::string digest = digest_of_data(data);
  EXPECT_EQ(digest_of_data(shared), digest);
  edit("pairs.tsv", "s2", "s1");
  EXPECT_NE(digest_of_data(load()), digest);
  edit("pairs.tsv", "s1", "s2");
  EXPECT_EQ(digest_of_data(load()), digest);
  std::string bytes = read_bytes(dir_ / "rna.f32");
  bytes[40] = static_cast<char>(bytes[40] ^ 1);
  write_bytes(dir_ / "rna.f32", bytes);
  EXPECT_NE(digest_of_data(load()), digest);
}

}  // namespace
}  // namespace cdt

// The DNA windows of a data set's genes: written, read, checked, linked and counted in the digest.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <bit>
#include <cstdint>
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

constexpr std::int64_t kWindow = 2 * 3;

/// A data set with two enhancers and the genes A, B and C, whose windows hold 6 g + i + 0.5.
class GeneWindows : public testing::Test {
 protected:
  GeneWindows() { write(dir_, false); }

  static void write(const std::filesystem::path& to, bool bfloat16) {
    DatasetWriter::Sizes sizes{
        .enhancers = 2, .bins = 2, .dna_dim = 3, .genes = 3, .rna_dim = 1, .protein_dim = 1};
    sizes.has_dna_gene = true;
    sizes.dna_gene_is_bfloat16 = bfloat16;
    DatasetWriter writer(to, sizes, true);
    writer.append_dna(std::vector<float>(2 * kWindow, 1.0F).data(), 2 * kWindow);
    for (std::int64_t g = 0; g < 3; ++g) writer.append_dna_gene(window(g).data(), kWindow);
    const std::vector<std::string> genes{"A", "B", "C"};
    writer.write_rna({1, 2, 3}, genes);
    writer.write_protein({3, 4, 5}, genes);
    writer.write_enhancers({{"chr1", 10, 21, "e0"}, {"chr1", 100, 200, "e1"}});
    writer.write_pairs({{.beta = 1.0F}, {.enhancer = 1, .gene = 2, .beta = 2.0F}});
    writer.finish("{}");
  }
  static std::vector<float> window(std::int64_t gene) {
    std::vector<float> out;
    for (std::int64_t i = 0; i < kWindow; ++i) {
      out.push_back(static_cast<float>(kWindow * gene + i) + 0.5F);
    }
    return out;
  }
  static std::vector<float> read(const Dataset& data, std::int32_t gene) {
    std::vector<float> out(kWindow);
    data.read_dna_gene(gene, out.data());
    return out;
  }
  std::string load() {
    return input_error([&] { const Dataset data(dir_); });
  }
  void edit(const std::string& from, const std::string& to) {
    std::string text = read_bytes(dir_ / "dataset.json");
    const std::size_t at = text.find(from, text.find("dna_gene"));
    ASSERT_NE(at, std::string::npos) << from;
    write_bytes(dir_ / "dataset.json", text.replace(at, from.size(), to));
  }

  test::TempDir temp_;
  std::filesystem::path dir_ = temp_.path / "data";
};

TEST_F(GeneWindows, AreReadByGene) {
  Dataset data(dir_);
  ASSERT_TRUE(data.has_dna_gene());
  for (std::int32_t gene = 0; gene < 3; ++gene) EXPECT_EQ(read(data, gene), window(gene));
  EXPECT_THROW(read(data, 3), Error);
  data.choose_genes({2, 0});
  EXPECT_EQ(read(data, 0), window(2));
  data.choose_genes({1});
  EXPECT_EQ(read(data, 0), window(0)) << "chosen twice";
  EXPECT_THROW(read(data, 1), Error);
}

TEST_F(GeneWindows, AreStoredInEitherType) {
  write(temp_.path / "half", true);
  const Dataset data(temp_.path / "half");
  EXPECT_EQ(read(data, 2), window(2));
  EXPECT_EQ(std::filesystem::file_size(temp_.path / "half" / "dna_gene.bf16"), 3U * kWindow * 2);
  write(temp_.path / "half", false);
  EXPECT_FALSE(std::filesystem::exists(temp_.path / "half" / "dna_gene.bf16")) << "an old blob";
}

TEST_F(GeneWindows, AreCheckedLikeThoseOfEnhancers) {
  std::string bytes = read_bytes(dir_ / "dna_gene.f32");
  const auto nan = std::bit_cast<std::array<char, 4>>(std::numeric_limits<float>::quiet_NaN());
  write_bytes(dir_ / "dna_gene.f32",
              std::string(bytes).replace(4 * (kWindow + 4), 4, nan.data(), 4));
  const Dataset data(dir_);
  EXPECT_EQ(read(data, 0), window(0));
  expect_message(input_error([&] { read(data, 1); }), dir_ / "dna_gene.f32",
                 "gene B (row 1), bin 1, feature 1", "got nan");
  write_bytes(dir_ / "dna_gene.f32", bytes + "x");
  expect_message(load(), dir_ / "dna_gene.f32", "size", "3 x 2 x 3 x 4 = 72 bytes, got 73");
  write_bytes(dir_ / "dna_gene.f32", bytes);
  edit("      3,\n      2,\n", "      2,\n      2,\n");
  expect_message(load(), dir_ / "dataset.json", "dna_gene.shape",
                 "expected (3, 2, 3), got (2, 2, 3)");
  edit("      2,\n      2,\n", "      3,\n      2,\n");
  edit("dna_gene.f32", "../dna_gene.f32");
  expect_message(load(), dir_ / "dataset.json", "dna_gene.file", "inside the directory");
  edit("../dna_gene.f32", "dna_gene.f32");
  std::filesystem::remove(dir_ / "dna_gene.f32");
  expect_message(load(), dir_ / "dna_gene.f32", "open", "No such file");
}

TEST_F(GeneWindows, AreLinkedNotCopied) {
  const Dataset data(dir_);
  DatasetWriter writer(temp_.path / "shared", data);
  writer.write_pairs(data.pairs);
  writer.finish("{}");
  const auto inode = [](const std::filesystem::path& path) {
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_ino;
  };
  EXPECT_EQ(inode(temp_.path / "shared" / "dna_gene.f32"), inode(dir_ / "dna_gene.f32"));
  EXPECT_EQ(read(Dataset(temp_.path / "shared"), 1), window(1));
}

TEST_F(GeneWindows, CountInTheDigestAndMustBeComplete) {
  const std::string before = digest_of_data(Dataset(dir_));
  std::string bytes = read_bytes(dir_ / "dna_gene.f32");
  bytes[0] = static_cast<char>(bytes[0] ^ 1);
  write_bytes(dir_ / "dna_gene.f32", bytes);
  EXPECT_NE(digest_of_data(Dataset(dir_)), before);
  DatasetWriter::Sizes sizes{
      .enhancers = 1, .bins = 1, .dna_dim = 1, .genes = 1, .rna_dim = 1, .protein_dim = 1};
  const float one = 1.0F;
  DatasetWriter without(temp_.path / "without", sizes);
  EXPECT_THROW(without.append_dna_gene(&one, 1), Error);
  sizes.has_dna_gene = true;
  DatasetWriter writer(temp_.path / "incomplete", sizes);
  writer.append_dna(&one, 1);
  writer.write_rna({1}, {"A"});
  writer.write_protein({1}, {"A"});
  writer.write_enhancers({{"chr1", 1, 2, "e"}});
  writer.write_pairs({{.beta = 1}});
  EXPECT_THROW(writer.finish("{}"), Error);
}

}  // namespace
}  // namespace cdt

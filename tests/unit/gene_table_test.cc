// The gene table of a data set: read with it, written, carried along, and used by default.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "io/dataset/dataset_writer.h"
#include "io/dataset/gene_starts.h"
#include "model/fingerprint.h"
#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::read_bytes;
using test::write_bytes;

using Starts = std::vector<std::optional<GeneStart>>;

/// A data set with the genes A, B and C and the gene table `bed`.
class GeneTable : public testing::Test {
 protected:
  GeneTable() { test::write_small_dataset(dir_, {{.beta = 1}, {.gene = 2, .beta = 2}}); }

  void add(const std::string& bed) {
    write_bytes(table(), bed);
    std::string manifest = read_bytes(dir_ / "dataset.json");
    if (manifest.find("gene_starts") != std::string::npos) return;
    const std::string before = "\"provenance\"";
    manifest.insert(manifest.find(before), "\"gene_starts\": \"genes.bed\", ");
    write_bytes(dir_ / "dataset.json", manifest);
  }
  std::filesystem::path table() const { return dir_ / "genes.bed"; }
  std::string load() {
    return input_error([&] { const Dataset data(dir_); });
  }

  test::TempDir temp_;
  std::filesystem::path dir_ = temp_.path / "data";
};

constexpr const char* kTable = "chr1\t100\t900\tC\t0\t-\nchr9\t7\t60\tA\t0\t+\n";
const Starts kStarts{GeneStart{"chr9", 7, 1}, std::nullopt, GeneStart{"chr1", 899, -1}};

TEST_F(GeneTable, IsOptional) {
  const Dataset data(dir_);
  EXPECT_TRUE(data.gene_starts.empty());
  EXPECT_TRUE(data.gene_table.empty());
  EXPECT_FALSE(choose_gene_starts({}, data).has_value());
}

TEST_F(GeneTable, FollowsTheGenes) {
  add(kTable);
  Dataset data(dir_);
  EXPECT_EQ(data.gene_table, table());
  EXPECT_EQ(data.gene_starts, kStarts);
  data.choose_genes({2, 1});
  EXPECT_EQ(data.gene_starts, (Starts{kStarts[2], kStarts[1]}));
}

TEST_F(GeneTable, IsCheckedWhenTheDataSetIsOpened) {
  add("chr1\t100\t900\tA\nchr1\t100\tx\tB\n");
  expect_message(load(), table(), "line 2, end", "got x");
  add("chr1\t100\t900\ta\n");
  expect_message(load(), table(), "names", "none is a gene of " + dir_.string());
  add("1\t100\t900\tA\n");
  expect_message(load(), table(), "chrom", "such as chr1, got 1");
  std::filesystem::remove(table());
  expect_message(load(), table(), "open", "No such file");
  std::string manifest = read_bytes(dir_ / "dataset.json");
  manifest.replace(manifest.find("\"genes.bed\""), 11, "\"../g.bed\"");
  write_bytes(dir_ / "dataset.json", manifest);
  expect_message(load(), dir_ / "dataset.json", "gene_starts", "inside the directory");
}

TEST_F(GeneTable, IsCarriedToADataSetOfTheSameGenes) {
  add(kTable);
  const Dataset data(dir_);
  const std::filesystem::path to = temp_.path / "shared";
  {
    DatasetWriter writer(to, data);
    writer.write_pairs(data.pairs);
    writer.finish("{}");
  }
  EXPECT_EQ(Dataset(to).gene_starts, kStarts);
  EXPECT_EQ(read_bytes(to / "genes.bed"), "chr9\t7\t8\tA\t0\t+\nchr1\t899\t900\tC\t0\t-\n");
  EXPECT_EQ(digest_of_tables(Dataset(to)), digest_of_tables(data));

  std::filesystem::remove_all(dir_);
  test::write_small_dataset(dir_, data.pairs);
  DatasetWriter writer(to, Dataset(dir_), true);  // without a table, an old one is removed
  writer.write_pairs(data.pairs);
  writer.finish("{}");
  EXPECT_FALSE(std::filesystem::exists(to / "genes.bed"));
  EXPECT_EQ(read_bytes(to / "dataset.json"), read_bytes(dir_ / "dataset.json"));
}

TEST_F(GeneTable, CountsInTheDigest) {
  const std::string without = digest_of_data(Dataset(dir_));
  add(kTable);
  const std::string with = digest_of_data(Dataset(dir_));
  add("chr1\t101\t900\tC\t0\t-\nchr9\t7\t62\tA\t0\t+\n");  // the same starts
  EXPECT_EQ(digest_of_data(Dataset(dir_)), with);
  add("chr1\t100\t901\tC\t0\t-\nchr9\t7\t62\tA\t0\t+\n");
  EXPECT_NE(digest_of_data(Dataset(dir_)), with);
  EXPECT_NE(without, with);
}

TEST_F(GeneTable, AnotherFileTakesPrecedence) {
  add(kTable);
  const Dataset data(dir_);
  const auto own = choose_gene_starts({}, data);
  ASSERT_TRUE(own.has_value());
  EXPECT_EQ(own->file, table());
  EXPECT_EQ(own->starts.of_gene, kStarts);
  EXPECT_EQ(own->starts.missing, 1);
  write_bytes(temp_.path / "other.bed", "chr1\t5\t6\tB\n");
  const auto other = choose_gene_starts(temp_.path / "other.bed", data);
  EXPECT_EQ(other->file, temp_.path / "other.bed");
  EXPECT_EQ(other->starts.of_gene, (Starts{std::nullopt, GeneStart{"chr1", 5, 0}, std::nullopt}));
}

/// In a file of windows around starts the middle counts; a window alone would be read as a gene.
TEST_F(GeneTable, AWrittenTableMeansTheSameForFewerGenes) {
  const Dataset data(dir_);
  write_bytes(temp_.path / "windows.bed", "chr1\t100\t600\tA\t0\t-\nchr1\t900\t1400\tZ\t0\t+\n");
  const GeneStarts read = read_gene_starts(temp_.path / "windows.bed", data);
  ASSERT_TRUE(read.windows);
  add(gene_table_text(read.of_gene, data.genes));
  EXPECT_EQ(Dataset(dir_).gene_starts, read.of_gene);
  EXPECT_EQ(read.of_gene[0], (GeneStart{"chr1", 350, -1}));
}

}  // namespace
}  // namespace cdt

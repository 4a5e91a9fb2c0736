// cdt-import: files that do not fit are refused by file and field, and nothing is left behind.
#include <gtest/gtest.h>

#include <limits>

#include "tests/support/published_files.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::Hdf5Writer;
using test::PublishedFiles;

class ImportMistakes : public testing::Test {
 protected:
  /// The import of these files must be refused like this.
  void expect(const std::filesystem::path& file, const std::string& field,
              const std::string& what) const {
    const std::string message = test::input_error([this] { import_files(files_.options()); });
    test::expect_message(message, file, field, what);
    EXPECT_FALSE(std::filesystem::exists(files_.options().out)) << "something was left behind";
  }

  test::TempDir dir_;
  PublishedFiles files_{dir_.path};
  const ImportOptions paths_ = files_.options();
};

TEST_F(ImportMistakes, DnaThatIsNotFinite) {
  files_.dna[4 * 12 + 7] = std::numeric_limits<float>::quiet_NaN();
  files_.dna[4 * 12 + 8] = std::numeric_limits<float>::infinity();
  files_.write();
  expect(paths_.dna, "embeddings[4,2,1]",
         "is not usable, as 2 of this row's values (expected a finite number, got nan)");
}

TEST_F(ImportMistakes, EmbeddingThatIsNotFinite) {
  files_.protein[5] = -std::numeric_limits<float>::infinity();
  files_.write();
  expect(paths_.protein, "embeddings[2]",
         "value 1 is not usable (expected a finite number, got -inf)");
}

TEST_F(ImportMistakes, InfiniteBeta) {
  files_.val.beta[2] = std::numeric_limits<float>::infinity();
  files_.write();
  expect(paths_.val, "beta[2]", "is infinite (expected a finite number, got inf)");
}

TEST_F(ImportMistakes, GeneListsThatDiffer) {
  std::swap(files_.protein_genes[1], files_.protein_genes[2]);
  files_.write();
  expect(paths_.protein, "gene_names[1]", "(expected BRCA2, got FNDC5)");
  files_ = PublishedFiles(dir_.path);
  files_.protein_genes.pop_back();
  files_.protein.resize(6);
  files_.write();
  expect(paths_.protein, "gene_names", "(expected 4 genes, got 3)");
}

TEST_F(ImportMistakes, GeneNames) {
  files_.rna_genes[3] = "A1BG";
  files_.write();
  expect(paths_.rna, "gene_names[3]", "gene A1BG is there twice");
  files_.rna_genes[3] = "TP 53";
  files_.write();
  expect(paths_.rna, "gene_names[3]", "is not one printable word");
  files_.rna_genes[3] = "";
  files_.write();
  expect(paths_.rna, "gene_names[3]", "is empty");
}

TEST_F(ImportMistakes, MappingOutsideTheEmbeddings) {
  files_.old_to_new[1].second = 4;
  files_.write();
  expect(paths_.mapping, "old_to_new[1]", "(expected 0 to 3, got 4)");
  test::write_bytes(paths_.mapping, test::npz_bytes("other", files_.old_to_new));
  expect(paths_.mapping, "old_to_new", "is missing");
}

TEST_F(ImportMistakes, NoRowWithAMappedGene) {
  files_.old_to_new = {{1, 1}};
  files_.write();
  expect(paths_.train, "esm2_idx", "no row has a gene of the mapping file");
}

TEST_F(ImportMistakes, Coordinates) {
  files_.train.start[3] = -5;
  files_.write();
  expect(paths_.train, "enhancer_start[3]", "is not a coordinate");
  files_.train.start[3] = 5701;
  files_.write();
  expect(paths_.train, "enhancer_end[3]", "lies before the start");
  files_ = PublishedFiles(dir_.path);
  files_.train.chrom[0] = "chr\t1";
  files_.write();
  expect(paths_.train, "enhancer_chr[0]", "is not one printable word");
  files_ = PublishedFiles(dir_.path);
  files_.dna_centre[2] = -1;
  files_.write();
  expect(paths_.dna, "centers[2]", "is not a coordinate");
}

TEST_F(ImportMistakes, Labels) {
  files_.val.labels[1] = 2;
  files_.write();
  expect(paths_.val, "labels[1]", "is not a label (expected 0 or 1, got 2)");
}

TEST_F(ImportMistakes, ColumnsOfDifferentLength) {
  files_.write();
  files_.train.chrom.pop_back();
  files_.write_screen(paths_.train, files_.train);
  expect(paths_.train, "enhancer_chr", "(expected [6], got [5])");
  files_.write();
  files_.dna_chrom.pop_back();
  files_.write();
  expect(paths_.dna, "chroms", "(expected [7], got [6])");
}

TEST_F(ImportMistakes, MissingDataSets) {
  files_.write();
  { const Hdf5Writer empty(paths_.val); }
  expect(paths_.val, "esm2_idx", "data set is missing");
  { const Hdf5Writer empty(paths_.dna); }
  expect(paths_.dna, "embeddings", "data set is missing");
  { Hdf5Writer(paths_.rna).numbers<int>("gene_names", {4}, {1, 2, 3, 4}); }
  expect(paths_.rna, "embeddings", "data set is missing");
}

TEST_F(ImportMistakes, WrongShapes) {
  files_.write();
  { Hdf5Writer(paths_.dna).numbers<float>("embeddings", {2, 3}, std::vector<float>(6)); }
  expect(paths_.dna, "embeddings", "(expected [any, any, any], got [2, 3])");
}

}  // namespace
}  // namespace cdt

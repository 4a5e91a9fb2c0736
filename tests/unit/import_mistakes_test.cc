// cdt-import: inconsistent files are refused by file and field, and nothing is left behind.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/published_files.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::Hdf5Writer;
using test::PublishedFiles;

class ImportMistakes : public testing::Test {
 protected:
  /// Expects the import of these files to be refused with this message.
  void expect(const std::filesystem::path& file, const std::string& field,
              const std::string& what) const {
    const std::string message = test::input_error([this] { import_files(files.options()); });
    test::expect_message(message, file, field, what);
    EXPECT_FALSE(std::filesystem::exists(files.options().common.out))
        << "something was left behind";
  }

  test::TempDir dir;
  PublishedFiles files{dir.path};
  const ImportOptions paths = files.options();
};

TEST_F(ImportMistakes, DnaThatIsNotFinite) {
  files.dna[4 * 12 + 7] = std::numeric_limits<float>::quiet_NaN();
  files.dna[4 * 12 + 8] = std::numeric_limits<float>::infinity();
  files.write();
  expect(paths.dna, "embeddings[4,2,1]",
         "is not usable; not finite in this row: 2 values (expected a finite number, got nan)");
}

TEST_F(ImportMistakes, TheSameFileTwice) {
  files.write();
  std::filesystem::remove(paths.val);
  std::filesystem::create_hard_link(paths.train, paths.val);
  expect(paths.val, "--val", "is the file given as --train, " + paths.train.string());
  std::filesystem::remove(paths.val);
  std::filesystem::copy_file(paths.train, paths.val);
  expect(paths.val, "--val", "has the same content as the file given as --train");
  files.write();
  ImportOptions options = paths;
  options.test = dir.path / "link.h5";
  std::filesystem::create_symlink(paths.val, options.test);
  test::expect_message(test::input_error([&] { import_files(options); }), options.test, "--test",
                       "is the file given as --val");
  std::filesystem::remove(paths.protein);
  std::filesystem::copy_file(paths.rna, paths.protein);
  expect(paths.protein, "--protein", "has the same content as the file given as --rna");
}

TEST_F(ImportMistakes, EmbeddingThatIsNotFinite) {
  files.protein[5] = -std::numeric_limits<float>::infinity();
  files.write();
  expect(paths.protein, "embeddings[2]",
         "value 1 is not usable (expected a finite number, got -inf)");
}

TEST_F(ImportMistakes, InfiniteBeta) {
  files.val.beta[2] = std::numeric_limits<float>::infinity();
  files.write();
  expect(paths.val, "beta[2]", "is infinite (expected a finite number, got inf)");
}

TEST_F(ImportMistakes, GeneListsThatDiffer) {
  std::swap(files.protein_genes[1], files.protein_genes[2]);
  files.write();
  expect(paths.protein, "gene_names[1]", "(expected BRCA2, got FNDC5)");
  files = PublishedFiles(dir.path);
  files.protein_genes.pop_back();
  files.protein.resize(6);
  files.write();
  expect(paths.protein, "gene_names", "(expected 4 genes, got 3)");
}

TEST_F(ImportMistakes, GeneNames) {
  files.rna_genes[3] = "A1BG";
  files.write();
  expect(paths.rna, "gene_names[3]", "gene A1BG is there twice");
  files.rna_genes[3] = "TP 53";
  files.write();
  expect(paths.rna, "gene_names[3]", "is not one printable word");
  files.rna_genes[3] = "";
  files.write();
  expect(paths.rna, "gene_names[3]", "is empty");
}

TEST_F(ImportMistakes, MappingOutsideTheEmbeddings) {
  files.old_to_new[1].second = 4;
  files.write();
  expect(paths.mapping, "old_to_new[1]", "(expected 0 to 3, got 4)");
  test::write_bytes(paths.mapping, test::npz_bytes("other", files.old_to_new));
  expect(paths.mapping, "old_to_new", "is missing");
}

TEST_F(ImportMistakes, NoRowWithAMappedGene) {
  files.old_to_new = {{1, 1}};
  files.write();
  expect(paths.train, "esm2_idx", "no row has a gene of the mapping file");
}

TEST_F(ImportMistakes, Coordinates) {
  files.train.start[3] = -5;
  files.write();
  expect(paths.train, "enhancer_start[3]", "is not a coordinate");
  files.train.start[3] = 5701;
  files.write();
  expect(paths.train, "enhancer_end[3]", "lies before the start");
  files = PublishedFiles(dir.path);
  files.train.chrom[0] = "chr\t1";
  files.write();
  expect(paths.train, "enhancer_chr[0]", "is not one printable word");
  files = PublishedFiles(dir.path);
  files.dna_centre[2] = -1;
  files.write();
  expect(paths.dna, "centers[2]", "is not a coordinate");
}

TEST_F(ImportMistakes, StandardErrors) {
  files.train.se = std::vector<float>(6, 0.5F);
  for (const auto& [bad, got] :
       {std::pair{0.0F, "0"}, {-0.5F, "-0.5"}, {NAN, "nan"}, {INFINITY, "inf"}}) {
    files.val.se = {1, 1, bad, 1, 1};
    files.write();
    expect(paths.val, "se[2]",
           std::string("is no standard error (expected a finite number above 0, got ") + got + ")");
  }
}

TEST_F(ImportMistakes, Labels) {
  files.val.labels[1] = 2;
  files.write();
  expect(paths.val, "labels[1]", "is not a label (expected 0 or 1, got 2)");
}

TEST_F(ImportMistakes, ColumnsOfDifferentLength) {
  files.write();
  files.train.chrom.pop_back();
  files.write_screen(paths.train, files.train);
  expect(paths.train, "enhancer_chr", "(expected (6), got (5))");
  files.write();
  files.dna_chrom.pop_back();
  files.write();
  expect(paths.dna, "chroms", "(expected (7), got (6))");
}

TEST_F(ImportMistakes, MissingDataSets) {
  files.write();
  { const Hdf5Writer empty(paths.val); }
  expect(paths.val, "esm2_idx", "data set is missing");
  { const Hdf5Writer empty(paths.dna); }
  expect(paths.dna, "embeddings", "data set is missing");
  { Hdf5Writer(paths.rna).numbers<int>("gene_names", {4}, {1, 2, 3, 4}); }
  expect(paths.rna, "embeddings", "data set is missing");
}

TEST_F(ImportMistakes, WrongShapes) {
  files.write();
  { Hdf5Writer(paths.dna).numbers<float>("embeddings", {2, 3}, std::vector<float>(6)); }
  expect(paths.dna, "embeddings", "(expected (any, any, any), got (2, 3))");
}

}  // namespace
}  // namespace cdt

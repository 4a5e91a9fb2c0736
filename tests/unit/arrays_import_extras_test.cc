// cdt-import of arrays: what a data set may have besides effects and embeddings: standard errors, a
// gene table, windows of the genes.
#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

#include "apps/audit/audit.h"
#include "tests/support/arrays_import_case.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::read_bytes;
using test::write_bytes;

using ArraysImportExtras = test::ArraysImportCase;

TEST_F(ArraysImportExtras, StandardErrorsAreKept) {
  files.pairs = "enhancer\tse\tgene\tbeta\nE1\t0.25\tTP53\t1\nE3\t1e-3\tTP53\t2\n";
  files.write();
  import();
  EXPECT_EQ(read_bytes(options.common.out / "pairs.tsv"),
            "split\tenhancer\tgene\tbeta\tse\ntrain\tE1\tTP53\t1\t0.25\n"
            "train\tE3\tTP53\t2\t0.001\n");
}

TEST_F(ArraysImportExtras, AGeneTableIsKeptForTheGenesOfTheDataSet) {
  options.gene_table = dir.path / "annotation.bed";
  write_bytes(options.gene_table,
              "chr3\t5\t90\tOTHER\t0\t+\nchr2\t10\t60\tTP53\t0\t-\nchr1\t70\t99\tGFI1B\n");
  files.write();
  const std::string text = import();
  EXPECT_EQ(read_bytes(options.common.out / "genes.bed"),
            "chr1\t84\t85\tGFI1B\t0\t.\nchr2\t59\t60\tTP53\t0\t-\n");
  EXPECT_NE(notes.find("annotation.bed: 1 of 3 genes are not in it"), std::string::npos) << notes;
  EXPECT_NE(text.find("enhancer_gene_distances"), std::string::npos) << text;
  const Dataset data(options.common.out);
  EXPECT_EQ(data.gene_starts[2]->position, 59);
  EXPECT_TRUE(read_audit(data)->current);
  EXPECT_EQ(audit()["gene_starts"], "genes.bed");
  const auto provenance = parse_json_file(options.common.out / "dataset.json")["provenance"];
  EXPECT_EQ(provenance["sources"]["gene-table"]["file"], "annotation.bed");
}

/// Windows of four listed genes, of which three have a protein.
TEST_F(ArraysImportExtras, WindowsOfTheGenesFollowTheGenes) {
  files.rna = test::ArrayFilesOnDisk::counting(4 * 2);
  files.write();
  options.genes.clear();
  options.rna_genes = dir.path / "rna.txt";
  options.protein_genes = dir.path / "protein.txt";
  options.dna_gene = dir.path / "dna_gene.npy";
  write_bytes(options.rna_genes, "FNDC5\nNONE\nGFI1B\nTP53\n");
  write_bytes(options.protein_genes, "GFI1B\nTP53\nFNDC5\n");
  write_bytes(options.rna, test::npy_floats({4, 2}, files.rna));
  std::vector<float> windows = test::ArrayFilesOnDisk::counting(4 * 3 * 2);
  for (float& value : windows) value += 100.0F;
  write_bytes(options.dna_gene, test::npy_floats({4, 3, 2}, windows));
  const std::string text = import();
  EXPECT_NE(text.find("DNA at gene starts [4,3,2] float32, written for 3 genes"), std::string::npos)
      << text;
  const Dataset data(options.common.out);
  ASSERT_EQ(data.genes, (std::vector<std::string>{"FNDC5", "GFI1B", "TP53"}));
  std::vector<float> window(6);
  for (std::int32_t gene = 0; gene < 3; ++gene) {
    data.read_dna_gene(gene, window.data());
    EXPECT_EQ(window[0], windows[gene == 0 ? 0 : static_cast<std::size_t>(gene + 1) * 6]);
  }
  EXPECT_TRUE(read_audit(data)->current);

  std::filesystem::remove_all(options.common.out);
  options.store_bfloat16 = true;
  import();
  EXPECT_EQ(std::filesystem::file_size(options.common.out / "dna_gene.bf16"), 3U * 3 * 2 * 2);
  Dataset(options.common.out).read_dna_gene(2, window.data());
  EXPECT_EQ(window, std::vector<float>(windows.begin() + 18, windows.end()));
}

TEST_F(ArraysImportExtras, WindowsOfTheGenesMustFit) {
  files.write();
  options.dna_gene = dir.path / "dna_gene.npy";
  const auto with = [&](const std::vector<int>& shape, std::size_t count) {
    write_bytes(options.dna_gene, test::npy_floats(shape, std::vector<float>(count, 1.0F)));
  };
  with({2, 3, 2}, 12);
  expect(options.dna_gene, "array", "expected (3, 3, 2), got (2, 3, 2)");
  with({3, 6}, 18);
  expect(options.dna_gene, "array", "expected (3, 3, 2), got (3, 6)");
  with({3, 3, 2}, 18);
  std::vector<float> bad(18, 1.0F);
  bad[8] = std::numeric_limits<float>::infinity();
  write_bytes(options.dna_gene, test::npy_floats({3, 3, 2}, bad));
  expect(options.dna_gene, "array[1,1,0]", "got inf");
  options.dna_gene = options.dna;
  expect(options.dna, "--dna-gene", "is the file given as --dna");
}

TEST_F(ArraysImportExtras, AGeneTableOfOtherGenesIsRefused) {
  options.gene_table = dir.path / "annotation.bed";
  write_bytes(options.gene_table, "chr2\t10\t60\ttp53\t0\t-\n");
  files.write();
  expect(options.gene_table, "names", "none is a gene of the gene list");
  write_bytes(options.gene_table, "chr2\t10\t60\tTP53\t0\tminus\n");
  expect(options.gene_table, "line 1, strand", "got minus");
  options.gene_table = options.enhancers;
  expect(options.gene_table, "--gene-table", "is the file given as --enhancers");
}

}  // namespace
}  // namespace cdt

// cdt-import of arrays: the data set it writes, and what it refuses, by file and field.
#include <gtest/gtest.h>

#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>

#include "apps/audit/audit.h"
#include "io/dataset/dataset.h"
#include "io/format/json.h"
#include "tests/support/arrays_import_case.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::read_bytes;
using test::write_bytes;

using ArraysImport = test::ArraysImportCase;

std::string described(const Dataset& data) {
  std::string text;
  for (const Pair& pair : data.pairs) {
    text += std::string(split_name(pair.split)) + " " + pair_name(data, pair) + " " +
            std::to_string(pair.beta) + " " + std::to_string(pair.label) + "\n";
  }
  return text;
}

TEST_F(ArraysImport, KeepsTheTestedRowsInTheirOrder) {
  files.write();
  const std::string text = import();
  const Dataset data(options.common.out);
  EXPECT_EQ(described(data),
            "val E4:TP53 0.500000 -1\ntrain E1:GFI1B -0.250000 -1\ntrain E3:FNDC5 -1.000000 -1\n"
            "val E1:TP53 0.000000 -1\n");
  ASSERT_EQ(data.enhancers_count(), 3);  // no pair names E2
  EXPECT_EQ(dna_of(data, "E1"), row(0));
  EXPECT_EQ(dna_of(data, "E3"), row(2));
  EXPECT_EQ(dna_of(data, "E4"), row(3));
  EXPECT_EQ(data.enhancers[1].start, 900);
  EXPECT_EQ(data.rna, files.rna);
  EXPECT_EQ(data.protein, files.protein);
  EXPECT_EQ(data.genes, (std::vector<std::string>{"GFI1B", "FNDC5", "TP53"}));
  EXPECT_EQ(audit()["import"]["enhancers"]["left_out_without_pairs"], 1);
  EXPECT_EQ(audit()["import"]["splits"]["train"]["rows_kept"], 2);
  EXPECT_EQ(numbers("enhancers_in_train")["val"]["shared"], 1);
  EXPECT_TRUE(numbers("pairs_in_train").is_null());
  EXPECT_EQ(audit()["import"]["dna"]["rows_used"], 3);
  EXPECT_FALSE(audit()["splits"].contains("test"));
  EXPECT_NE(text.find("windows of 3 bins of 128 bp = 384 bp"), std::string::npos) << text;
  EXPECT_NE(text.find("4 listed, 3 written"), std::string::npos) << text;
}

TEST_F(ArraysImport, TheAuditIsOfTheDataSetAsItIs) {
  files.write();
  import();
  Dataset data(options.common.out);
  EXPECT_TRUE(read_audit(data)->current);
  EXPECT_FALSE(read_audit(data)->has_gene_starts);
  EXPECT_EQ(recorded_import(options.common.out)["from"], "arrays");
  data.pairs.front().beta += 1.0F;
  EXPECT_FALSE(read_audit(data)->current);
  std::filesystem::remove(options.common.out / "audit.json");
  EXPECT_FALSE(read_audit(data).has_value());
  EXPECT_TRUE(recorded_import(options.common.out).is_null());
  write_bytes(options.common.out / "audit.json", R"({"format": "cdt-import-audit", "version": 1})");
  EXPECT_FALSE(read_audit(data).has_value());
}

TEST_F(ArraysImport, UntestedRowsStayOnRequest) {
  files.write();
  options.keep_untested = true;
  options.bin_bp = 32;
  options.assembly = "hg19";
  import();
  const Dataset data(options.common.out);
  EXPECT_EQ(data.enhancers_count(), 4);
  EXPECT_EQ(dna_of(data, "E2"), row(1));
  EXPECT_EQ(data.bin_bp, 32);
  EXPECT_EQ(data.assembly, "hg19");
}

TEST_F(ArraysImport, ElementsWithoutANameAreNamedByTheirPlace) {
  files.enhancers =
      "track x\nchr1\t1000\t1500\n#\nchr1\t5000\t5400\t.\nchr2\t900\t1100\tE3\n"
      "chr2\t7000\t7200\n";
  files.pairs =
      "gene\tbeta\tsplit\tenhancer\tlabel\nTP53\t1\ttrain\tchr1-1000-1500\t1\n"
      "TP53\t2\ttrain\tchr1-5000-5400\t0\n";
  files.write();
  import();
  const Dataset data(options.common.out);
  EXPECT_EQ(described(data),
            "train chr1-1000-1500:TP53 1.000000 1\ntrain chr1-5000-5400:TP53 2.000000 0\n");
  EXPECT_EQ(dna_of(data, "chr1-5000-5400"), row(1));
  EXPECT_EQ(audit()["splits"]["train"]["positive_labels"], 1);
}

TEST_F(ArraysImport, PairsWithoutASplitAreTrain) {
  files.pairs = "enhancer\tgene\tbeta\nE1\tTP53\t1\nE3\tTP53\t2\n";
  files.write();
  import();
  EXPECT_EQ(described(Dataset(options.common.out)),
            "train E1:TP53 1.000000 -1\ntrain E3:TP53 2.000000 -1\n");
}

TEST_F(ArraysImport, FoldsAreKept) {
  files.pairs =
      "split\tenhancer\tgene\tbeta\tfold\ntest\tE1\tTP53\t1\t1\nval\tE3\tTP53\t2\t2\n"
      "train\tE4\tTP53\t2\t3\n";
  files.write();
  import();
  const Dataset data(options.common.out);
  EXPECT_EQ(data.folds, 3);
  EXPECT_EQ(column(data.pairs, &Pair::fold), (std::vector<std::int32_t>{1, 2, 3}));
}

TEST_F(ArraysImport, EnhancersThatTheAssemblyCannotHold) {
  const auto counts = [&](const char* assembly) {
    options.assembly = assembly;
    options.common.overwrite = true;
    const std::string text = import();
    const bool known = numbers("chromosome_sizes_unknown").is_null();
    EXPECT_EQ(text.find(assembly + std::string(" are not known")) == std::string::npos, known)
        << text;
    const auto count = [&](const char* name) {
      const nlohmann::json found = numbers(name);
      return !known ? "unknown" : found.is_null() ? "0" : found["enhancers"].dump();
    };
    return count("enhancers_past_chromosome_end") + " " + count("enhancers_on_other_chromosomes");
  };
  files.write();
  EXPECT_EQ(counts("hg38"), "0 0");
  EXPECT_EQ(notes, "");
  // The last base of chr1 is still on it. Only what is written counts, and no pair names E2.
  files.enhancers =
      "chr1\t1000\t248956422\tE1\nchr1\t1\t999999999\tE2\nchr6\t9\t1000000999\tE3\n"
      "1\t900\t1100\tE4\n";
  files.write();
  EXPECT_EQ(counts("GRCh38"), "1 1");
  const std::string file = options.enhancers.string();
  EXPECT_NE(notes.find(": warning: " + file +
                       ": assembly: 1 enhancer ends past the end of its "
                       "chromosome in GRCh38, first E3, so "),
            std::string::npos)
      << notes;
  EXPECT_NE(notes.find(": warning: " + file +
                       ": assembly: 1 enhancer is on chromosomes that GRCh38 "
                       "does not have, first E4 on 1 (there it is chr1), so "),
            std::string::npos)
      << notes;
  // An unplaced sequence is not in the table of sizes.
  files.enhancers = "chr1\t1\t9\tE1\nchr1\t1\t9\tE2\nchrUn_KI270302v1\t1\t9\tE3\nchrZ\t1\t9\tE4\n";
  files.write();
  EXPECT_EQ(counts("hg38"), "0 1");
  EXPECT_EQ(counts("mm10"), "unknown unknown");
}

TEST_F(ArraysImport, RepeatedPairsAreCounted) {
  files.pairs += "train\tE1\tGFI1B\t0.5\ntrain\tE1\tGFI1B\t0.5\ntest\tE1\tGFI1B\t0.5\n";
  files.write();
  const std::string text = import();
  EXPECT_EQ(numbers("repeated_pairs"),
            nlohmann::json::parse(R"({"rows": 2, "by_split": {"train": 2, "val": 0, "test": 0}})"));
  EXPECT_NE(text.find("train: 4 rows read, 4 kept; removed 0"), std::string::npos) << text;
  EXPECT_NE(text.find("repeated_pairs: 2 rows"), std::string::npos) << text;
}

TEST_F(ArraysImport, GenesOfBothListsInTheOrderOfRna) {
  files.write();
  options.genes.clear();
  options.rna_genes = dir.path / "rna.txt";
  options.protein_genes = dir.path / "protein.txt";
  write_bytes(options.rna_genes, "GFI1B\nFNDC5\nTP53\n");
  write_bytes(options.protein_genes, "TP53\nMYC\nGFI1B\n");
  import();
  const Dataset data(options.common.out);
  EXPECT_EQ(data.genes, (std::vector<std::string>{"GFI1B", "TP53"}));
  const auto& r = files.rna;
  const auto& p = files.protein;
  EXPECT_EQ(data.rna, (std::vector<float>{r[0], r[1], r[4], r[5]}));
  EXPECT_EQ(data.protein, (std::vector<float>{p[8], p[9], p[10], p[11], p[0], p[1], p[2], p[3]}));
  EXPECT_EQ(described(data),
            "val E4:TP53 0.500000 -1\ntrain E1:GFI1B -0.250000 -1\nval E1:TP53 0.000000 -1\n");
  EXPECT_EQ(audit()["import"]["splits"]["train"]["removed_gene_in_one_list"], 1);
  EXPECT_NE(notes.find("2 are in both lists and kept, of 3 with RNA and 3 with protein; left out: "
                       "2 genes (FNDC5, MYC)"),
            std::string::npos)
      << notes;
}

TEST_F(ArraysImport, NoGeneInBothLists) {
  files.write();
  options.genes.clear();
  options.rna_genes = dir.path / "rna.txt";
  options.protein_genes = dir.path / "protein.txt";
  write_bytes(options.rna_genes, "A\nB\nC\n");
  write_bytes(options.protein_genes, "X\nY\nZ\n");
  expect(options.protein_genes, "genes", "none is in");
}

TEST_F(ArraysImport, PooledWindowsHaveOneBin) {
  files.write();
  write_bytes(options.dna, test::npy_floats({4, 6}, files.dna));
  import();
  const Dataset data(options.common.out);
  EXPECT_EQ(data.bins, 1);
  EXPECT_EQ(data.dna_dim, 6);
  EXPECT_EQ(dna_of(data, "E3"), row(2));
  EXPECT_NE(notes.find("windows of one bin"), std::string::npos) << notes;
}

TEST_F(ArraysImport, DnaMayBeStoredInHalfTheSpace) {
  files.dna[2] = 1.00390625F;  // 1 + 2^-8, a tie: rounds to even
  files.write();
  options.store_bfloat16 = true;
  import();
  const Dataset data(options.common.out);
  EXPECT_EQ(std::filesystem::file_size(options.common.out / "dna.bf16"), 3U * 6 * 2);
  EXPECT_FALSE(std::filesystem::exists(options.common.out / "dna.f32"));
  EXPECT_EQ(dna_of(data, "E1")[2], 1.0F);
  EXPECT_EQ(dna_of(data, "E3"), row(2));
  // Overwritten the other way round: nothing of the old output remains.
  options.store_bfloat16 = false;
  options.common.overwrite = true;
  import();
  EXPECT_FALSE(std::filesystem::exists(options.common.out / "dna.bf16"));
  EXPECT_EQ(dna_of(Dataset(options.common.out), "E1")[2], 1.00390625F);
}

TEST_F(ArraysImport, WhatBfloat16CannotHold) {
  files.dna[13] = std::numeric_limits<float>::max();
  files.write();
  options.store_bfloat16 = true;
  expect(options.dna, "array[2,0,1]", "is too large for bfloat16");
}

TEST_F(ArraysImport, UnknownNames) {
  files.pairs += "test\tE9\tTP53\t0\ntest\tE1\tXIST\t0\n";
  files.write();
  expect(options.pairs, "line 6, column enhancer",
         "unknown name (expected a name of " + options.enhancers.string() +
             ", unless --unknown-names drop is given, got E9)");
  options.drop_unknown = true;
  import();
  EXPECT_EQ(Dataset(options.common.out).pairs.size(), 4U);
  EXPECT_EQ(audit()["import"]["splits"]["test"]["removed_unknown_name"], 2);
  EXPECT_EQ(audit()["import"]["splits"]["test"]["rows_kept"], 0);
}

TEST_F(ArraysImport, ListsThatDoNotFitTheArrays) {
  files.enhancers += "chr3\t1\t2\tE5\n";
  files.write();
  expect(options.enhancers, "lines", "(expected 4, got 5)");
  files = test::ArrayFilesOnDisk(dir.path);
  files.genes = "GFI1B\nFNDC5\n";
  files.write();
  expect(options.genes, "lines", "(expected 3, got 2)");
  files.genes = "GFI1B\nTP53\nTP53\n";
  files.write();
  expect(options.genes, "line 3", "gene TP53 is in line 2 already");
  files.genes = "GFI1B\tENSG1\nTP53\tENSG2\nMYC\tENSG3\n";
  files.write();
  expect(options.genes, "line 1", "is not one printable word");
}

TEST_F(ArraysImport, ElementsThatAreNone) {
  const std::string three = "chr1\t1\t9\tE1\nchr1\t2\t9\tE2\nchr1\t3\t9\tE3\n";
  files.enhancers = three + "chr1\t4\t9\tE2\n";
  files.write();
  expect(options.enhancers, "line 4, name", "E2 is in line 2 already");
  files.enhancers = three + "chr1\t4\t4\tE4\n";
  files.write();
  expect(options.enhancers, "line 4, end", "the enhancer is empty");
  files.enhancers = three + "chr1 4 9\n";
  files.write();
  expect(options.enhancers, "line 4", "too few tab-separated columns (expected at least 3, got 1)");
}

TEST_F(ArraysImport, PairsThatAreNone) {
  const auto expect_of = [&](const std::string& pairs, const std::string& field,
                             const std::string& what) {
    files.pairs = pairs;
    files.write();
    expect(options.pairs, field, what);
  };
  const std::string head = "split\tenhancer\tgene\tbeta\n";
  expect_of("split\tgene\tbeta\ntrain\tTP53\t0\n", "line 1, column enhancer", "column is missing");
  expect_of("split,enhancer,gene,beta\ntrain,E1,TP53,0\n", "line 1, column enhancer",
            "column is missing; the line has no tab, and columns are separated by tabs");
  expect_of(head + "train\tE1\tTP53\tnan\n", "line 2, column beta", "got nan");
  expect_of(head + "training\tE1\tTP53\t0\n", "line 2, column split", "got training");
  expect_of(head, "pairs", "none is left of 0");
}

TEST_F(ArraysImport, ShapesThatAreNone) {
  files.write();
  write_bytes(options.dna, test::npy_floats({4}, {1, 2, 3, 4}));
  expect(options.dna, "array", "(expected (windows, bins, features), got (4))");
  files.write();
  write_bytes(options.rna, test::npy_floats({3, 1, 2}, files.rna));
  expect(options.rna, "array", "(expected (genes, features), got (3, 1, 2))");
}

TEST_F(ArraysImport, ValuesThatAreNotFinite) {
  files.dna[3 * 6 + 5] = std::numeric_limits<float>::quiet_NaN();
  files.write();
  expect(options.dna, "array[3,2,1]", "got nan");
  files = test::ArrayFilesOnDisk(dir.path);
  files.dna[6] = std::numeric_limits<float>::quiet_NaN();  // of E2, which no pair names: ignored
  files.protein[5] = std::numeric_limits<float>::infinity();
  files.write();
  expect(options.protein, "array[1,1]", "got inf");
  files.protein[5] = 0.0F;
  files.write();
  import();
}

TEST_F(ArraysImport, OneThingInPlaceOfTwo) {
  files.write();
  options.protein = options.rna;
  expect(options.rna, "--protein", "is the file given as --rna");
  options.protein = dir.path / "copy.npy";
  std::filesystem::copy_file(options.rna, options.protein);
  expect(options.protein, "--protein", "has the same values as the array given as --rna");
  const std::string rna = test::npy_floats({3, 2}, files.rna);
  const std::string protein = test::npy_floats({3, 4}, files.protein);
  const std::filesystem::path both = dir.path / "tables.npz";
  write_bytes(both, test::zip({{"rna.npy", rna, 8}, {"protein.npy", protein, 8}}));
  options.rna = options.protein = both.string() + ":rna";
  expect(both, "--protein", "is the file given as --rna");
  options.protein = both.string() + ":protein";
  import();
  EXPECT_EQ(Dataset(options.common.out).protein, files.protein);
}

/// Damage is also found after the rows that pairs need, and after what is read to learn the shape.
TEST_F(ArraysImport, DamageInAnArchiveOfDna) {
  files.pairs = "split\tenhancer\tgene\tbeta\ntrain\tE1\tTP53\t0\n";
  files.write();
  const std::vector<float> dna(400000, 0.5F);
  options.dna = dir.path / "dna.npz";
  write_bytes(options.dna, test::zip({{.name = "dna.npy",
                                       .content = test::npy_floats({4, 100, 1000}, dna),
                                       .method = 8,
                                       .crc_flip = 1}}));
  expect(options.dna, "dna.npy", "damaged: checksum differs");
}

TEST_F(ArraysImport, ArraysAndTheirNames) {
  files.write();
  options.dna = files.options().dna.string() + ":x";
  expect(files.options().dna, "x", "an .npy file has one array");
  options.dna = dir.path / "none.npy:x";
  expect(dir.path / "none.npy", "open", "No such file");
  options.dna = files.options().pairs;
  expect(options.dna, "format", "is not an .npy, .npz or HDF5 file");
  // A colon may be part of a file's name.
  options.dna = dir.path / "a:b.npy";
  std::filesystem::copy_file(files.options().dna, options.dna);
  import();
}

TEST_F(ArraysImport, TheWordForBfloat16MustBeOfUse) {
  files.write();
  options.void_is_bfloat16 = true;
  expect("command line", "--bfloat16", "changes nothing");
}

}  // namespace
}  // namespace cdt

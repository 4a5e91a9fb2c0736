// cdt-import: the reference loader's rules, on small files in the published layout.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "io/dataset/dataset.h"
#include "io/format/json.h"
#include "tests/support/audit_file.h"
#include "tests/support/published_files.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

using test::expect_message;
using test::input_error;
using test::PublishedFiles;
using test::read_bytes;

class ImportRules : public testing::Test {
 protected:
  /// Writes the files and imports them; returns the audit as it was printed.
  std::string import(MissingDna missing = MissingDna::kZeros) {
    files.write();
    ImportOptions options = files.options();
    options.missing = missing;
    options.gene_table = gene_table;
    testing::internal::CaptureStdout();
    try {
      import_files(options);
    } catch (...) {
      testing::internal::GetCapturedStdout();
      throw;
    }
    return testing::internal::GetCapturedStdout();
  }
  std::string refusal(MissingDna missing = MissingDna::kZeros) {
    std::string message = input_error([&] { import(missing); });
    EXPECT_FALSE(std::filesystem::exists(out())) << "something was left behind";
    return message;
  }
  std::filesystem::path out() const { return files.options().common.out; }
  nlohmann::json numbers(const char* finding) const {
    return test::finding_numbers(out(), finding);
  }
  nlohmann::json audit() const { return parse_json_file(out() / "audit.json"); }

  test::TempDir dir;
  PublishedFiles files{dir.path};
  std::filesystem::path gene_table;
};

std::vector<std::string> names(const Dataset& data) {
  std::vector<std::string> out;
  for (const Enhancer& enhancer : data.enhancers) out.push_back(enhancer.name);
  return out;
}

/// Checks that every enhancer's DNA is that of this source row (-1: zeros).
void expect_rows(const Dataset& data, const std::vector<int>& rows) {
  ASSERT_EQ(data.enhancers_count(), static_cast<std::int64_t>(rows.size()));
  std::vector<float> got(std::size_t{PublishedFiles::kBins} * PublishedFiles::kDim);
  for (std::size_t e = 0; e < rows.size(); ++e) {
    data.read_dna(static_cast<std::int32_t>(e), got.data());
    for (std::size_t i = 0; i < got.size(); ++i) {
      const int column = static_cast<int>(i);
      EXPECT_EQ(got[i], rows[e] < 0 ? 0.0F : PublishedFiles::value(rows[e], column))
          << data.enhancers[e].name << " value " << i;
    }
  }
}

std::string describe(const Dataset& data) {
  std::string text;
  for (const Pair& pair : data.pairs) {
    text += std::string(split_name(pair.split)) + " " +
            data.enhancers[static_cast<std::size_t>(pair.enhancer)].name + " " +
            data.genes[static_cast<std::size_t>(pair.gene)] + " " + std::to_string(pair.beta) +
            " " + std::to_string(pair.label) + "\n";
  }
  return text;
}

constexpr const char* kAllPairs =
    "train chr1-900-1101 TP53 -0.500000 1\n"
    "train chr1-4900-5100 A1BG 0.000000 0\n"
    "train chr1-5300-5700 BRCA2 -0.250000 0\n"
    "train chr1-8900-9100 A1BG -1.500000 0\n"
    "val chr1-900-1101 TP53 0.500000 0\n"
    "val chr2-1901-2101 A1BG -0.100000 1\n"
    "val chr1-900-1100 BRCA2 -0.200000 0\n"
    "val chr2-1900-2100 BRCA2 0.250000 0\n";

TEST_F(ImportRules, PairsGenesAndDnaFollowTheReferenceLoader) {
  import();
  const Dataset data(out());
  EXPECT_EQ(describe(data), kAllPairs);
  EXPECT_EQ(names(data), (std::vector<std::string>{
                             "chr1-900-1101", "chr1-900-1100", "chr2-1900-2100", "chr1-4900-5100",
                             "chr1-5300-5700", "chr1-8900-9100", "chr2-1901-2101"}));
  expect_rows(data, {0, 0, 2, 4, 4, 5, -1});
  EXPECT_EQ(data.genes, files.rna_genes);
  EXPECT_EQ(data.rna, files.rna);
  EXPECT_EQ(data.protein, files.protein);
  EXPECT_EQ(data.enhancers[0].start, 900);
  EXPECT_EQ(data.enhancers[0].end, 1101);
  EXPECT_EQ(data.enhancers[0].centre(), 1000);
  EXPECT_EQ(data.bin_bp, 128);
  EXPECT_EQ(data.assembly, "hg38");
}

TEST_F(ImportRules, StorageAndStringFormsMakeNoDifference) {
  const std::vector<test::Hdf5Storage> storages = {
      {{7, 4, 3}, true, true}, {{3, 2, 2}, true, true, true}, {{1, 4, 3}, true}};
  for (const test::Hdf5Storage& storage : storages) {
    std::filesystem::remove_all(out());
    files.storage = storage;
    files.variable_strings = !files.variable_strings;
    import();
    const Dataset data(out());
    EXPECT_EQ(describe(data), kAllPairs);
    expect_rows(data, {0, 0, 2, 4, 4, 5, -1});
  }
}

TEST_F(ImportRules, MissingDnaCanDropPairs) {
  import(MissingDna::kDrop);
  const Dataset data(out());
  expect_rows(data, {0, 0, 2, 4, 4, 5});
  EXPECT_EQ(data.pairs_of(Split::kVal).size(), 3U);
  EXPECT_EQ(data.find_enhancer("chr2-1901-2101"), -1);
  const nlohmann::json val = audit()["import"]["splits"]["val"];
  EXPECT_EQ(val["removed_no_dna"], 1);
  EXPECT_EQ(val["removed_no_dna_positive_labels"], 1);
  EXPECT_EQ(val["rows_kept"], 3);
}

TEST_F(ImportRules, MissingDnaCanBeAnError) {
  expect_message(refusal(MissingDna::kError), files.options().val, "enhancer_chr[1]",
                 "chr2-1901-2101 has no DNA row within 1000 bp");
}

TEST_F(ImportRules, NoMatchAtAllIsAnError) {
  for (std::string& chrom : files.dna_chrom) chrom = chrom.substr(3);
  expect_message(refusal(), files.options().train, "enhancer_chr", "no element has a DNA row");
}

TEST_F(ImportRules, MissingBetaMeansZerosAndIsSaid) {
  files.train.has_beta = false;
  testing::internal::CaptureStderr();
  import();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("beta: is missing; every effect is 0"),
            std::string::npos);
  for (const Pair& pair : Dataset(out()).pairs_of(Split::kTrain)) EXPECT_EQ(pair.beta, 0.0F);
  EXPECT_EQ(audit()["import"]["splits"]["train"]["beta_present"], false);
  EXPECT_EQ(audit()["import"]["splits"]["val"]["beta_present"], true);
}

TEST_F(ImportRules, ASplitWithoutDnaIsSaid) {
  for (std::string& chrom : files.val.chrom) chrom = chrom.substr(3);
  testing::internal::CaptureStderr();
  import();
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find(files.options().val.string() + ": enhancer_chr"), std::string::npos) << said;
  EXPECT_EQ(said.find(files.options().train.string()), std::string::npos) << said;
}

TEST_F(ImportRules, LabelsAreKeptOnlyIfEverySplitHasThem) {
  files.val.has_labels = false;
  import();
  for (const Pair& pair : Dataset(out()).pairs) EXPECT_EQ(pair.label, -1);
}

TEST_F(ImportRules, StandardErrorsAreKeptOnlyIfEverySplitHasThem) {
  files.train.se = {0.5F, 0.25F, 0.125F, 2.0F, 0.75F, 1.5F};
  files.val.se = {0.1F, 0.2F, 0.3F, 0.4F, 0.5F};
  import();
  const std::vector<float> kept{0.5F, 0.125F, 2.0F, 1.5F, 0.1F, 0.2F, 0.3F, 0.5F};
  EXPECT_EQ(column(Dataset(out()).pairs, &Pair::se), kept) << "of the rows with a mapped gene";
}

TEST_F(ImportRules, StandardErrorsOfOneSplitAreLeftOutWithAWarning) {
  files.train.se = {0.5F, 0.25F, 0.125F, 2.0F, 0.75F, 1.5F};
  testing::internal::CaptureStderr();
  import();
  EXPECT_NE(testing::internal::GetCapturedStderr().find(files.options().val.string() +
                                                        ": se: is missing"),
            std::string::npos);
  EXPECT_EQ(read_bytes(out() / "pairs.tsv").find("\tse"), std::string::npos);
}

TEST_F(ImportRules, AGeneTableIsKept) {
  gene_table = dir.path / "annotation.bed";
  test::write_bytes(gene_table, "chr2\t10\t60\tTP53\t0\t-\nchr1\t7\t99\tBRCA2\t0\t+\n");
  import();
  EXPECT_EQ(read_bytes(out() / "genes.bed"), "chr1\t7\t8\tBRCA2\t0\t+\nchr2\t59\t60\tTP53\t0\t-\n");
  EXPECT_EQ(audit()["gene_starts"], "genes.bed");
  EXPECT_FALSE(Dataset(out()).gene_starts[0].has_value());
}

TEST_F(ImportRules, ElementOfNoLengthKeepsItsCentre) {
  files.val.add(12, "chr1", 5900, 5900, -0.1F, 0);
  import();
  const Dataset data(out());
  const std::int32_t row = data.find_enhancer("chr1-5900-5900");
  ASSERT_GE(row, 0);
  EXPECT_EQ(data.enhancers[static_cast<std::size_t>(row)].centre(), 5900);
  EXPECT_EQ(data.enhancers[static_cast<std::size_t>(row)].end, 5901);
}

TEST_F(ImportRules, TestSplitIsImportedWhenGiven) {
  files.write();
  ImportOptions options = files.options();
  options.test = dir.path / "test.h5";
  test::PublishedScreen test = files.val;
  test.beta[0] += 0.125F;
  files.write_screen(options.test, test);
  testing::internal::CaptureStdout();
  import_files(options);
  const std::string text = testing::internal::GetCapturedStdout();
  EXPECT_NE(text.find("pairs_in_train: 1 of 4 pairs (25.0 %) of val and 1 of 4"), std::string::npos)
      << text;
  EXPECT_NE(text.find("val and test share 4 pairs"), std::string::npos) << text;
  EXPECT_EQ(numbers("pairs_in_val_and_test")["pairs"], 4);
  EXPECT_EQ(Dataset(out()).pairs_of(Split::kTest).size(), 4U);
}

TEST_F(ImportRules, AuditCountsWhatWasFound) {
  const std::string text = import();
  const nlohmann::json a = audit()["import"];
  EXPECT_EQ(a["genes"], nlohmann::json::parse(R"({"embedded": 4, "mapping_rows": 4,
      "mapping_repeated_keys": 1})"));
  EXPECT_EQ(numbers("genes_without_pairs")["genes"], 1);
  EXPECT_EQ(a["dna"]["distinct_coordinates"], 6);
  EXPECT_EQ(a["dna"]["repeated_coordinates"], 1);
  EXPECT_EQ(a["dna"]["rows_used"], 4);
  // The element of the all-zero row, and the one without DNA.
  EXPECT_EQ(numbers("zero_windows"), nlohmann::json::parse(R"({"enhancers": 2, "pairs": 2,
      "pairs_by_split": {"train": 1, "val": 1, "test": 0}})"));
  EXPECT_EQ(a["enhancers"]["written"], 7);
  EXPECT_EQ(a["enhancers"]["exact"], 4);
  EXPECT_EQ(a["enhancers"]["near"], 2);
  EXPECT_EQ(a["enhancers"]["missing_dna_written_as_zeros"], 1);
  const nlohmann::json& train = a["splits"]["train"];
  EXPECT_EQ(train["rows_read"], 6);
  EXPECT_EQ(train["rows_kept"], 4);
  EXPECT_EQ(train["removed_gene_not_mapped"], 2);
  EXPECT_EQ(train["removed_gene_not_mapped_positive_labels"], 1);
  EXPECT_EQ(train["dna"], nlohmann::json::parse(R"({"exact": 3, "near": 1, "missing": 0})"));
  EXPECT_EQ(a["splits"]["val"]["dna"],
            nlohmann::json::parse(R"({"exact": 2, "near": 1, "missing": 1})"));
  EXPECT_EQ(train["beta_nan_taken_as_zero"], 1);
  const nlohmann::json beta = audit()["splits"]["train"]["beta"];
  EXPECT_EQ(beta["min"], -1.5);
  EXPECT_EQ(beta["max"], 0.0);
  EXPECT_EQ(beta["mean"], -0.5625);
  EXPECT_NEAR(beta["std"].get<double>(), std::sqrt(0.32421875), 1e-12);  // by hand
  EXPECT_EQ(audit()["splits"]["val"]["beta"]["positive_share"], 0.5);
  EXPECT_NE(text.find("train: 6 rows read, 4 kept"), std::string::npos) << text;
  EXPECT_NE(text.find("hg19"), std::string::npos) << text;
}

TEST_F(ImportRules, AuditFindsWhatValidationSharesWithTraining) {
  import();
  const auto shared = [&](const char* finding) {
    const nlohmann::json found = numbers(finding);
    EXPECT_EQ(found["val"]["pairs"], 4) << finding;
    return found["val"]["shared"];
  };
  EXPECT_EQ(shared("enhancers_in_train"), 1);
  EXPECT_EQ(shared("pairs_in_train"), 1);
  EXPECT_EQ(shared("loci_in_train"), 2);
  EXPECT_EQ(shared("genes_in_train"), 4);
  const nlohmann::json splits = audit()["splits"];
  EXPECT_EQ(splits["val"]["enhancers"], 4);
  EXPECT_EQ(splits["val"]["genes"], 3);
}

TEST_F(ImportRules, AnExistingDataSetIsNotTouched) {
  import();
  const std::string before = test::read_bytes(out() / "dataset.json");
  EXPECT_NE(input_error([this] { import(); }).find("already holds a data set"), std::string::npos);
  EXPECT_EQ(test::read_bytes(out() / "dataset.json"), before);
}

}  // namespace
}  // namespace cdt

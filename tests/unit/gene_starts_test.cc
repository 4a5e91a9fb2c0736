#include "io/dataset/gene_starts.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <optional>
#include <string>
#include <vector>

#include "tests/support/input_error.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

/// The genes of the data set are A, B and C.
class GeneStartsTest : public testing::Test {
 protected:
  GeneStartsTest() {
    test::write_small_dataset(dir_.path / "data", {{.beta = 1.0F}});
    data_.emplace(dir_.path / "data");
  }

  GeneStarts read(const std::string& text) const {
    test::write_bytes(file(), text);
    return read_gene_starts(file(), *data_);
  }
  std::filesystem::path file() const { return dir_.path / "genes.bed"; }
  std::string complaint(const std::string& text) const {
    return test::input_error([&] { read(text); });
  }

  test::TempDir dir_;
  std::optional<Dataset> data_;
};

void expect_start(const std::optional<GeneStart>& start, const std::string& chrom,
                  std::int64_t position, int strand) {
  ASSERT_TRUE(start.has_value());
  EXPECT_EQ(start->chrom, chrom);
  EXPECT_EQ(start->position, position);
  EXPECT_EQ(start->strand, strand);
}

TEST_F(GeneStartsTest, TheStrandSaysWhichEnd) {
  const GeneStarts s = read(
      "#chr\tstart\tend\tname\tscore\tstrand\ntrack name=x\n"
      "chr1\t100\t200\tA\t0\t+\tmore\nchr2\t100\t201\tB\t0\t-\n"
      "chr3\t5\t9\tOTHER\t0\t-\nchrX\t100\t203\tC\n");
  expect_start(s.of_gene[0], "chr1", 100, 1);
  expect_start(s.of_gene[1], "chr2", 200, -1);  // the last base of a half-open interval
  expect_start(s.of_gene[2], "chrX", 151, 0);
  EXPECT_FALSE(s.windows);
  EXPECT_EQ(s.missing, 0);
  EXPECT_EQ(s.remark(file()), "");
  expect_start(read("chr1\t7\t7\tA\t0\t-\nchr1\t7\t9\tB\t.\t.\n").of_gene[0], "chr1", 7, -1);
}

TEST_F(GeneStartsTest, IntervalsOfOneLengthAreWindowsAroundStarts) {
  const GeneStarts s = read("chr1\t100\t600\tA\t0\t+\nchr1\t900\t1400\tB\t0\t-\n");
  EXPECT_TRUE(s.windows);
  expect_start(s.of_gene[0], "chr1", 350, 1);
  expect_start(s.of_gene[1], "chr1", 1150, -1);
  expect_start(read("chr1\t100\t600\tA\t0\t-\n").of_gene[0], "chr1", 599, -1);  // alone, a gene
}

TEST_F(GeneStartsTest, MissingAndRepeatedGenesAreCounted) {
  const GeneStarts s = read(
      "chr1\t100\t200\tA\t0\t+\nchr1\t100\t200\tA\t9\t+\nchr1\t100\t200\tA\t0\t-\n"
      "chr2\t100\t250\tA\t0\t+\nchr2\t1\t2\tZ\t0\t+\nchr2\t1\t3\tZ\t0\t+\nchr1\t5\t8\tC\t0\t+\n");
  expect_start(s.of_gene[0], "chr1", 100, 1);
  EXPECT_FALSE(s.of_gene[1].has_value());
  EXPECT_EQ(s.missing, 1);
  EXPECT_EQ(s.repeated, 2);
  EXPECT_EQ(s.remark("g.bed"),
            "g.bed: 1 of 3 genes are not in it: their starts are unknown; 2 lines place a "
            "gene elsewhere than its first line and are skipped");
}

TEST_F(GeneStartsTest, ReadsGzip) {
  const std::string text = "chr1\t100\t200\tA\t0\t+\r\nchr1\t3\t4\tB\t0\t+\r\n";
  gzFile gz = gzopen(file().c_str(), "wb");
  gzwrite(gz, text.data(), static_cast<unsigned>(text.size()));
  gzclose(gz);
  expect_start(read_gene_starts(file(), *data_).of_gene[1], "chr1", 3, 1);
}

TEST_F(GeneStartsTest, MistakesNameLineAndColumn) {
  const std::string good = "chr1\t100\t200\tA\t0\t+\n";
  test::expect_message(complaint(good + "chr1\t5\t6\n"), file(), "line 2", "too few");
  test::expect_message(complaint(good + "chr1\t-5\t6\tZ\n"), file(), "line 2, start", "got -5");
  test::expect_message(complaint(good + "chr1\t9\t6\tZ\n"), file(), "line 2, end", "before");
  test::expect_message(complaint(good + "chr1\t5\t6\t\n"), file(), "line 2, name", "empty");
  test::expect_message(complaint(good + "chr1\t5\t6\tZ\t0\tx\n"), file(), "line 2, strand",
                       "got x");
  test::expect_message(complaint("chr1\t5\t6\ta\n\n"), file(), "names", "none is a gene");
  test::expect_message(complaint(""), file(), "names", "got 0 intervals");
  test::expect_message(complaint("1\t5\t6\tA\n1\t5\t7\tB\n"), file(), "chrom",
                       "such as chr1, got 1");
}

}  // namespace
}  // namespace cdt

// bigWig files, read back by a reader that shares no code with the library that wrote them.
#include "io/genome/bigwig/bigwig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "engine/error.h"
#include "tests/support/bigwig_reader.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

class BigWigTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_bigwig()) GTEST_SKIP() << "this build has no libBigWig";
  }
};

std::string bigwig_bytes(std::span<const Chromosome> chromosomes,
                         const std::vector<ChromosomeScores>& scores) {
  const test::TempDir dir;
  AtomicFile file(dir.path / "scores.bw");
  write_bigwig(file, chromosomes, scores);
  file.commit();
  return test::read_bytes(dir.path / "scores.bw");
}

std::vector<float> wave(std::size_t bins) {
  std::vector<float> values;
  for (std::size_t i = 0; i < bins; ++i) {
    values.push_back(static_cast<float>(std::sin(0.1 * static_cast<double>(i))));
  }
  return values;
}

TEST_F(BigWigTest, WindowsComeBackExactly) {
  const std::vector<ChromosomeScores> scores{
      window_scores({"chr1", 33535632, 128}, wave(896), ChromosomeSizes("hg38").size("chr1")),
      window_scores({"chr10", 500, 128}, wave(3), ChromosomeSizes("hg38").size("chr10")),
      window_scores({"chrX", 156040895 - 300, 128}, wave(4), ChromosomeSizes("hg38").size("chrX"))};
  const test::BigWigContent read = test::read_bigwig(bigwig_bytes(chromosomes_of("hg38"), scores));
  EXPECT_EQ(read.scores.size(), 3U);
  for (const ChromosomeScores& s : scores) EXPECT_EQ(read.scores.at(s.chrom), s.intervals);
  EXPECT_EQ(read.scores.at("chrX").back().end, 156040895);
  EXPECT_EQ(read.sizes.size(), 25U);
  EXPECT_EQ(read.sizes.at("chr21"), 46709983U);
  EXPECT_GT(read.zoom_levels, 0);
}

TEST_F(BigWigTest, SummaryIsThatOfTheIntervals) {
  const ChromosomeScores scores = window_scores({"chr2", 10000, 128}, wave(896), 0);
  const test::BigWigContent read =
      test::read_bigwig(bigwig_bytes(chromosomes_of("hg19"), {scores}));
  double sum = 0.0;
  double min = 0.0;
  double max = 0.0;
  for (const ScoredInterval& i : scores.intervals) {
    sum += 128.0 * i.value;
    min = std::min(min, static_cast<double>(i.value));
    max = std::max(max, static_cast<double>(i.value));
  }
  EXPECT_EQ(read.bases, 896U * 128U);
  EXPECT_EQ(read.min, min);
  EXPECT_EQ(read.max, max);
  EXPECT_NEAR(read.sum, sum, 1e-9 * 896 * 128);
}

TEST_F(BigWigTest, ManyWindowsFarApart) {
  std::vector<ChromosomeScores> windows;
  for (std::int64_t i = 0; i < 60; ++i) {
    windows.push_back(
        window_scores({i % 3 == 0 ? "chr1" : "chr8", 2000000 * (60 - i), 128}, wave(896), 0));
  }
  const std::vector<ChromosomeScores> merged = merge_scores(windows);
  const test::BigWigContent read = test::read_bigwig(bigwig_bytes(chromosomes_of("hg38"), merged));
  EXPECT_EQ(read.scores.at("chr1"), merged[0].intervals);
  EXPECT_EQ(read.scores.at("chr8"), merged[1].intervals);
  EXPECT_EQ(read.scores.at("chr8").size(), 40U * 896U);
}

TEST_F(BigWigTest, OneIntervalAndTheSameBytesAgain) {
  const std::vector<ChromosomeScores> scores{{"chrM", {{16568, 16569, -0.25F}}}};
  const std::string bytes = bigwig_bytes(chromosomes_of("hg38"), scores);
  EXPECT_EQ(test::read_bigwig(bytes).scores.at("chrM"), scores[0].intervals);
  EXPECT_EQ(bytes, bigwig_bytes(chromosomes_of("hg38"), scores));
}

TEST_F(BigWigTest, WhatTheFormatForbidsIsRefused) {
  const auto write = [](const std::vector<ChromosomeScores>& scores) {
    return bigwig_bytes(chromosomes_of("hg38"), scores);
  };
  EXPECT_THROW(write({}), Error);
  EXPECT_THROW(write({{"chr1", {}}}), Error);
  EXPECT_THROW(write({{"chr99", {{0, 1, 1}}}}), Error);
  EXPECT_THROW(write({{"chr2", {{0, 1, 1}}}, {"chr10", {{0, 1, 1}}}}), Error);
  EXPECT_THROW(write({{"chr1", {{0, 10, 1}, {9, 12, 1}}}}), Error);
  EXPECT_THROW(write({{"chrM", {{16000, 16570, 1}}}}), Error);
  EXPECT_THROW(write({{"chr1", {{5, 5, 1}}}}), Error);
}

TEST(BigWigReaderTest, DamageIsNoticed) {
  EXPECT_THROW(test::read_bigwig(""), std::runtime_error);
  EXPECT_THROW(
      test::read_bigwig("track type=bedGraph and more text than a header has, surely......"),
      std::runtime_error);
}

TEST(AssemblyTest, SizesOfChromosomes) {
  EXPECT_EQ(ChromosomeSizes("hg38").size("chr1"), 248956422);
  EXPECT_EQ(ChromosomeSizes("GRCh37").size("chr1"), 249250621);
  EXPECT_EQ(ChromosomeSizes("hg38").size("1"), 0);
  EXPECT_EQ(ChromosomeSizes("mm10").size("chr1"), 0);
  // The summed lengths of the assembled chromosomes: 3,095,677,412 for hg19 and 3,088,269,832 for
  // hg38 are the published totals of chr1 to chrY; chrM is added.
  const auto total = [](std::span<const Chromosome> all) {
    return std::accumulate(all.begin(), all.end(), std::int64_t{0},
                           [](std::int64_t sum, const Chromosome& c) { return sum + c.size; });
  };
  EXPECT_EQ(total(chromosomes_of("hg19")), 3095677412 + 16571);
  EXPECT_EQ(total(chromosomes_of("hg38")), 3088269832 + 16569);
  for (const char* assembly : {"hg19", "hg38"}) {
    const std::span<const Chromosome> all = chromosomes_of(assembly);
    EXPECT_TRUE(
        std::is_sorted(all.begin(), all.end(),
                       [](const Chromosome& a, const Chromosome& b) { return a.name < b.name; }));
  }
}

TEST(AssemblyTest, SizesFromAFile) {
  test::TempDir folder;
  const std::filesystem::path file = folder.path / "mm10.chrom.sizes";
  test::write_bytes(file, "chr2\t182113224\nchr10\t130694993\r\nchrM\t16299");
  const ChromosomeSizes sizes("mm10", file);
  EXPECT_EQ(sizes.size("chr10"), 130694993);
  EXPECT_EQ(sizes.size("chrM"), 16299);
  EXPECT_EQ(sizes.size("chr1"), 0);
  ASSERT_EQ(sizes.all().size(), 3U);
  EXPECT_EQ(sizes.all()[0].name, "chr10");  // in byte order, as bigWig files require
  const auto expect_refused = [&](const char* assembly, const char* text, const char* field,
                                  const char* what) {
    test::write_bytes(file, text);
    test::expect_message(test::input_error([&] { ChromosomeSizes(assembly, file); }), file, field,
                         what);
  };
  expect_refused("mm10", "chr1\t5\nchr2 6\n", "line 2", "columns");
  expect_refused("mm10", "chr1\t5\t6\n", "line 1", "columns");
  for (const char* bad : {"chr1\t0\n", "chr1\t-3\n", "chr1\t1.5\n", "chr1\t4294967296\n"}) {
    expect_refused("mm10", bad, "line 1", "size of chr1");
  }
  expect_refused("mm10", "chr1\t5\nchr1\t5\n", "line 2", "chr1 is listed twice");
  expect_refused("mm10", "\t5\n", "line 1", "without a name");
  expect_refused("mm10", "", "rows", "none");
  expect_refused("hg38", "chr1\t249250621\n", "line 1",
                 "expected 248956422 in hg38, got 249250621");
}

TEST(AssemblyTest, NamesInText) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(assemblies_named_in("GRCh38-cCREs.bed.gz"), Names{"hg38"});
  EXPECT_EQ(assemblies_named_in("track name=x db=hg19 useScore=1"), Names{"hg19"});
  EXPECT_EQ(assemblies_named_in("lifted_hg19_to_hg38.bed"), (Names{"hg19", "hg38"}));
  EXPECT_EQ(assemblies_named_in("GRCm38.p6"), Names{"mm10"});
  EXPECT_EQ(assemblies_named_in("hg38 GRCh38"), Names{"hg38"});
  EXPECT_TRUE(assemblies_named_in("xhg38 hg380 ENCFF001.bed").empty());
  EXPECT_EQ(ucsc_assembly("HG38"), "hg38");
  EXPECT_EQ(ucsc_assembly("galGal6"), "galGal6");
}

}  // namespace
}  // namespace cdt

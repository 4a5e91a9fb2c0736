#include "io/genome/tracks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "engine/error.h"
#include "io/dataset/truth.h"
#include "tests/support/input_error.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

TEST(TracksTest, BedGraphIsExact) {
  const std::vector<float> values{0.5F, 0.0F, 1e-7F};
  const TrackLabel label{"CDT gradient FNDC5", "e1 to FNDC5", "hg38", {1, 20, 255}, {0, 0, 9}};
  EXPECT_EQ(bedgraph_text(label, {window_scores({"chr1", 1000, 128}, values, 0)}),
            "track type=bedGraph name=\"CDT gradient FNDC5\" description=\"e1 to FNDC5\" db=hg38"
            " visibility=full color=1,20,255 altColor=0,0,9 autoScale=off viewLimits=0:0.5\n"
            "chr1\t1000\t1128\t0.5\n"
            "chr1\t1128\t1256\t0\n"
            "chr1\t1256\t1384\t1e-07\n");
}

TEST(TracksTest, ViewLimitsHoldAllValuesAndZero) {
  const auto limits = [](const std::vector<float>& values) {
    const std::string text = bedgraph_text({}, {window_scores({"chr1", 0, 1}, values, 0)});
    const std::size_t at = text.find("viewLimits=") + 11;
    return text.substr(at, text.find('\n') - at);
  };
  EXPECT_EQ(limits({-2.0F, 3.5F}), "-2:3.5");
  EXPECT_EQ(limits({-2.0F, -1.0F}), "-2:0");
  EXPECT_EQ(limits({0.0F}), "0:1");
}

TEST(TracksTest, NothingLiesOutsideTheChromosome) {
  using Intervals = std::vector<ScoredInterval>;
  const std::vector<float> values{1, 2, 3, 4};
  EXPECT_EQ(window_scores({"chrX", -200, 100}, values, 0).intervals,
            (Intervals{{0, 100, 3}, {100, 200, 4}}));
  EXPECT_EQ(window_scores({"chrX", -30, 100}, values, 0).intervals,
            (Intervals{{0, 70, 1}, {70, 170, 2}, {170, 270, 3}, {270, 370, 4}}));
  EXPECT_EQ(window_scores({"chrX", 50, 100}, values, 320).intervals,
            (Intervals{{50, 150, 1}, {150, 250, 2}, {250, 320, 3}}));
  EXPECT_TRUE(window_scores({"chrX", 400, 100}, values, 400).intervals.empty());
}

TEST(TracksTest, MergedWindowsAreMeansOnTheirPieces) {
  using Intervals = std::vector<ScoredInterval>;
  const std::vector<ChromosomeScores> merged = merge_scores({{"chr2", {{0, 10, 1}, {10, 20, 5}}},
                                                             {"chr10", {{100, 110, 7}}},
                                                             {"chr2", {{5, 15, 2}, {15, 25, 4}}},
                                                             {"chr2", {{30, 40, 0.1F}}}});
  ASSERT_EQ(merged.size(), 2U);
  EXPECT_EQ(merged[0].chrom, "chr10");
  EXPECT_EQ(merged[0].intervals, (Intervals{{100, 110, 7}}));
  EXPECT_EQ(merged[1].chrom, "chr2");
  EXPECT_EQ(
      merged[1].intervals,
      (Intervals{
          {0, 5, 1}, {5, 10, 1.5F}, {10, 15, 3.5F}, {15, 20, 4.5F}, {20, 25, 4}, {30, 40, 0.1F}}));
}

TEST(TracksTest, PairsOfAnEnhancerMergeBinByBin) {
  using Intervals = std::vector<ScoredInterval>;
  const TrackWindow window{"chr1", 0, 128};
  const auto merged = merge_scores({window_scores(window, std::vector<float>{1, 4}, 0),
                                    window_scores(window, std::vector<float>{2, -4}, 0),
                                    window_scores(window, std::vector<float>{3, 0}, 0)});
  ASSERT_EQ(merged.size(), 1U);
  EXPECT_EQ(merged[0].intervals, (Intervals{{0, 128, 2}, {128, 256, 0}}));
}

TEST(TracksTest, LabelsStayInsideTheirQuotes) {
  const std::string text = bedgraph_text({"a\"b\nc", "d\te", "hg38 x=1"}, {});
  EXPECT_EQ(text.substr(0, text.find(" visibility")),
            "track type=bedGraph name=\"a'b c\" description=\"d e\" db=hg38_x_1");
}

TEST(TracksTest, FileNamePartsAreHarmless) {
  EXPECT_EQ(file_name_part("chr1:33,592,712-33,593,212"), "chr1_33_592_712-33_593_212");
  EXPECT_EQ(file_name_part("../../etc/passwd"), "_.._.._etc_passwd");
  EXPECT_EQ(file_name_part("-rf"), "_-rf");
  EXPECT_EQ(file_name_part(""), "_");
  EXPECT_EQ(file_name_part("abcdef", 3), "abc");
  EXPECT_EQ(file_name_part("g\xC3\xA9ne/\\"), "g__ne__");
}

TEST(BrowserTest, PeaksAreSortedBed9) {
  EXPECT_EQ(bed9_text({{"chr2", 5, 7, "a b", 1500, {0, 114, 178}},
                       {"chr10", 9, 12, "c", -3, {213, 94, 0}},
                       {"chr2", 1, 2, "", 500, {0, 0, 0}}}),
            "chr10\t9\t12\tc\t0\t.\t9\t12\t213,94,0\n"
            "chr2\t1\t2\t.\t500\t.\t1\t2\t0,0,0\n"
            "chr2\t5\t7\ta_b\t1000\t.\t5\t7\t0,114,178\n");
  EXPECT_EQ(bed9_track_line("p", "all \"peaks\"", "hg19"),
            "track type=bed name=\"p\" description=\"all 'peaks'\" db=hg19 visibility=pack"
            " itemRgb=On\n");
}

TEST(BrowserTest, SessionNamesItsFilesAndRegions) {
  const std::string text = igv_session_text(
      "hg38", {{"a<b>.bw", "\"x\" & y\x01\xFF", Rgb{1, 2, 3}}, {"peaks.bed", "p", std::nullopt}},
      {{"chr1", 99, 300, "e'1"}});
  EXPECT_EQ(text,
            "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"no\"?>\n"
            "<Session genome=\"hg38\" locus=\"chr1:100-300\" version=\"8\">\n"
            "  <Resources>\n"
            "    <Resource path=\"a&lt;b&gt;.bw\" name=\"&quot;x&quot; &amp; y _\""
            " color=\"1,2,3\"/>\n"
            "    <Resource path=\"peaks.bed\" name=\"p\"/>\n"
            "  </Resources>\n"
            "  <Panel name=\"DataPanel\">\n"
            "    <Track id=\"a&lt;b&gt;.bw\" name=\"&quot;x&quot; &amp; y _\""
            " color=\"1,2,3\" altColor=\"1,2,3\"/>\n"
            "    <Track id=\"peaks.bed\" name=\"p\"/>\n"
            "  </Panel>\n"
            "  <Regions>\n"
            "    <Region chromosome=\"chr1\" start=\"99\" end=\"300\" description=\"e'1\"/>\n"
            "  </Regions>\n"
            "</Session>\n");
  EXPECT_EQ(ucsc_browser_line({"chr1", 99, 300, ""}), "browser position chr1:100-300\n");
}

TEST(BrowserTest, SessionWithoutRegionsShowsTheGenome) {
  EXPECT_NE(igv_session_text("hg38", {}, {}).find(" locus=\"All\" "), std::string::npos);
}

TEST(LocusTest, PeopleReadItFromOneWithCommas) {
  EXPECT_EQ(locus_text({"chr1", 999, 2000, ""}), "chr1:1,000-2,000");
  EXPECT_EQ(locus_text({"chr1", 0, 128, ""}), "chr1:1-128");
  EXPECT_EQ(locus_text({"HLA:A", 1234566, 1234567, ""}), "HLA:A:1,234,567-1,234,567");
  EXPECT_EQ(locus_text({"chrM", 16569, 16569, ""}), "no base of chrM");
}

TEST(LocusTest, OnlyBasesOfTheChromosomeCount) {
  const auto clipped = [](std::int64_t start, std::int64_t end, std::int64_t size) {
    return locus_text(on_chromosome({"c", start, end, ""}, size));
  };
  EXPECT_EQ(clipped(-100, 28, 0), "c:1-28");
  EXPECT_EQ(clipped(900, 1028, 1000), "c:901-1,000");
  EXPECT_EQ(clipped(900, 1028, 0), "c:901-1,028");
  EXPECT_EQ(clipped(-128, 0, 1000), "no base of c");
  EXPECT_EQ(clipped(1000, 1128, 1000), "no base of c");
  const Locus past = on_chromosome({"c", 5000, 5128, ""}, 1000);
  EXPECT_EQ(past.start, past.end);
}

TEST(LocusTest, WhatIsPrintedPastesBack) {
  for (const Locus& locus : {Locus{"chr1", 0, 1, ""}, Locus{"HLA:A", 999, 1000, ""},
                             Locus{"chr2", 12345678, 123456789, ""}}) {
    for (const std::string& text : {locus_text(locus), plain_locus_text(locus)}) {
      const std::optional<Locus> read = parse_locus(text);
      ASSERT_TRUE(read) << text;
      EXPECT_EQ(read->chrom, locus.chrom);
      EXPECT_EQ(read->start, locus.start);
      EXPECT_EQ(read->end, locus.end);
    }
  }
  for (const char* text :
       {"chr1", "chr1:", "chr1:5", ":1-2", "chr1:0-5", "chr1:6-5", "chr1:1-2-3", "chr1:1,00-2,000",
        "chr1:,100-200", "chr1:1,-200", "chr1:1000,000-2000000", "chr1: 1-5", "chr1:+1-5",
        "chr1:1-99999999999999999999"}) {
    EXPECT_FALSE(parse_locus(text)) << text;
  }
}

class TruthTest : public testing::Test {
 protected:
  std::optional<Truth> read(const std::string& text) const {
    std::ofstream(dir_.path / "truth.json") << text;
    return read_truth(dir_.path, 16);
  }

  /// The message of the InputError that reading `text` throws, or "none".
  std::string error_of(const std::string& text) const {
    try {
      read(text);
    } catch (const InputError& error) {
      return error.what();
    }
    return "none";
  }

  test::TempDir dir_;
};

TEST_F(TruthTest, SitesThatContradictAreRefused) {
  const auto sites = [this](const std::string& list) {
    return error_of(R"({"format": "cdt-truth", "version": 1, "noise_ceiling": {}, "pairs": [],
                        "sites": [)" +
                    list + "]}");
  };
  const std::string one = R"({"enhancer": "E", "causal_bins": [1], "decoy_bins": [2]})";
  EXPECT_EQ(sites(one), "none");
  EXPECT_NE(sites(one + "," + one).find("sites[1].enhancer: E is listed twice"), std::string::npos);
  EXPECT_NE(sites(R"({"enhancer": "E", "causal_bins": [4, 4], "decoy_bins": []})")
                .find("causal_bins: bin 4 is listed twice"),
            std::string::npos);
  EXPECT_NE(sites(R"({"enhancer": "E", "causal_bins": [4], "decoy_bins": [4]})")
                .find("decoy_bins: bin 4 is in causal_bins too"),
            std::string::npos);
}

TEST_F(TruthTest, AbsentFileIsNoTruthOfADataSetThatIsThere) {
  const std::filesystem::path manifest = dir_.path / "dataset.json";
  test::expect_message(test::input_error([&] { read_truth(dir_.path, 16); }), manifest, "open",
                       "the data set was removed while it was in use");
  test::write_bytes(manifest, "{}");
  EXPECT_FALSE(read_truth(dir_.path, 16).has_value());
}

TEST_F(TruthTest, ReadsSitesEffectsAndCeilings) {
  const std::optional<Truth> truth = read(
      R"({"format": "cdt-truth", "version": 1, "seed": 3,
          "noise_ceiling": {"val": {"pearson": 0.875}, "test": {"pearson": null}},
          "sites": [{"enhancer": "e1", "causal_bins": [2, 3], "decoy_bins": []}],
          "pairs": [{"enhancer": "e1", "gene": "A", "noiseless_beta": -0.5, "has_effect": true},
                    {"enhancer": "e1", "gene": "B", "noiseless_beta": 0, "has_effect": false}]})");
  ASSERT_TRUE(truth.has_value());
  EXPECT_EQ(truth->ceiling_of("val"), 0.875);
  EXPECT_NE(truth->ceiling_of("test"), truth->ceiling_of("test"));
  EXPECT_EQ(truth->sites.at("e1").causal, (std::vector<std::int64_t>{2, 3}));
  EXPECT_TRUE(truth->sites.at("e1").decoy.empty());
  EXPECT_TRUE(truth->has_effect.at({"e1", "A"}));
  EXPECT_FALSE(truth->has_effect.at({"e1", "B"}));
}

TEST_F(TruthTest, TheSiteOfTheGenesClassIsCausal) {
  const std::string head =
      R"({"format": "cdt-truth", "version": 2, "noise_ceiling": {}, "pairs": [],
      "sites": [{"enhancer": "e1", "bins_for_a": [2, 3], "bins_for_b": [7]}], "genes": )";
  const std::optional<Truth> truth =
      read(head + R"([{"gene": "A", "class": "a"}, {"gene": "B", "class": "b"}]})");
  ASSERT_TRUE(truth && truth->has_classes());
  const std::vector<std::int64_t> first{2, 3}, second{7};
  EXPECT_EQ(truth->sites_for("e1", "A")->causal, first);
  EXPECT_EQ(truth->sites_for("e1", "A")->decoy, second);
  EXPECT_EQ(truth->sites_for("e1", "B")->causal, second);
  EXPECT_EQ(truth->sites_for("e1", "B")->decoy, first);
  EXPECT_FALSE(truth->sites_for("e1", "C"));
  EXPECT_FALSE(truth->sites_for("e2", "A"));
  EXPECT_NE(error_of(head + R"([{"gene": "A", "class": "c"}]})").find("genes[0].class"),
            std::string::npos);
  EXPECT_NE(error_of(head + R"([{"gene": "A", "class": "a"}, {"gene": "A", "class": "b"}]})")
                .find("genes[1].gene: A is listed twice"),
            std::string::npos);
  EXPECT_NE(error_of(head + "[]}").find("genes: is empty"), std::string::npos);
}

// Files of one class have no genes; any gene is one on which the first site acts.
TEST_F(TruthTest, WithoutClassesAllGenesShareTheSites) {
  const std::optional<Truth> truth =
      read(R"({"format": "cdt-truth", "version": 1, "noise_ceiling": {}, "pairs": [],
               "sites": [{"enhancer": "e1", "causal_bins": [1], "decoy_bins": [2]}]})");
  ASSERT_TRUE(truth.has_value());
  EXPECT_FALSE(truth->has_classes());
  EXPECT_EQ(truth->sites_for("e1", "any")->causal, std::vector<std::int64_t>{1});
}

TEST_F(TruthTest, WrongFilesAreRefusedByField) {
  EXPECT_NE(error_of(R"({"format": "cdt-dataset", "version": 1})").find("format"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"format": "cdt-truth", "version": 3})").find("version"),
            std::string::npos);
  const std::string head =
      R"({"format": "cdt-truth", "version": 1, "noise_ceiling": {}, "pairs": [], "sites": )";
  EXPECT_NE(error_of(head + R"([{"enhancer": "e", "causal_bins": [16], "decoy_bins": []}]})")
                .find("sites[0].causal_bins"),
            std::string::npos);
  EXPECT_NE(error_of(head + "{}}").find("sites"), std::string::npos);
  EXPECT_NE(
      error_of(
          R"({"format": "cdt-truth", "version": 1, "noise_ceiling": {"val": {"pearson": 1.5}}})")
          .find("noise_ceiling.val.pearson"),
      std::string::npos);
}

}  // namespace
}  // namespace cdt

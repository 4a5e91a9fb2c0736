#include "io/tracks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <vector>

#include "engine/error.h"
#include "io/text.h"
#include "io/truth.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

TEST(TracksTest, BedGraphIsExact) {
  const std::vector<float> values{0.5F, 0.0F, 1e-7F};
  EXPECT_EQ(
      bedgraph_text({"CDT gradient FNDC5", "e1 to FNDC5", "hg38"}, {"chr1", 1000, 128}, values),
      "track type=bedGraph name=\"CDT gradient FNDC5\" description=\"e1 to FNDC5\" db=hg38"
      " visibility=full autoScale=on alwaysZero=on\n"
      "chr1\t1000\t1128\t0.5\n"
      "chr1\t1128\t1256\t0\n"
      "chr1\t1256\t1384\t1e-07\n");
}

TEST(TracksTest, NothingLiesBeforeTheChromosome) {
  const std::vector<float> values{1, 2, 3, 4};
  EXPECT_EQ(bedgraph_text({"a", "b", ""}, {"chrX", -200, 100}, values),
            "track type=bedGraph name=\"a\" description=\"b\" visibility=full autoScale=on"
            " alwaysZero=on\n"
            "chrX\t0\t100\t3\n"
            "chrX\t100\t200\t4\n");
  const std::string cut = bedgraph_text({"a", "b", ""}, {"chrX", -30, 100}, values);
  EXPECT_NE(cut.find("\nchrX\t0\t70\t1\nchrX\t70\t170\t2\n"), std::string::npos) << cut;
}

TEST(TracksTest, LabelsStayInsideTheirQuotes) {
  const std::string text =
      bedgraph_text({"a\"b\nc", "d\te", "hg38 x=1"}, {"chr1", 0, 1}, std::vector<float>{1});
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

TEST(TracksTest, WritesTheFile) {
  const test::TempDir dir;
  write_bedgraph(dir.path / "t.bedGraph", {"a", "b", "hg38"}, {"chr1", 0, 10},
                 std::vector<float>{2});
  EXPECT_EQ(read_text_file(dir.path / "t.bedGraph"),
            bedgraph_text({"a", "b", "hg38"}, {"chr1", 0, 10}, std::vector<float>{2}));
  EXPECT_THROW(write_bedgraph(dir.path / "absent" / "t.bedGraph", {}, {}, {}), InputError);
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

TEST_F(TruthTest, AbsentFileIsNoTruth) { EXPECT_FALSE(read_truth(dir_.path, 16).has_value()); }

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

TEST_F(TruthTest, WrongFilesAreRefusedByField) {
  EXPECT_NE(error_of(R"({"format": "cdt-dataset", "version": 1})").find("format"),
            std::string::npos);
  EXPECT_NE(error_of(R"({"format": "cdt-truth", "version": 2})").find("version"),
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

// Windows that single out no place: the rule, and that no number includes them.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/attribute/summary.h"
#include "io/format/json_fields.h"
#include "model/explain/attention_maps.h"
#include "tests/support/sections.h"

namespace cdt {
namespace {

using Window = std::vector<float>;

TEST(WindowStateTest, AllZeroOneValueOneBin) {
  EXPECT_EQ(window_state(Window{0, 0, -0.0F}), WindowState::kZero);
  EXPECT_EQ(window_state(Window{0.25F, 0.25F, 0.25F}), WindowState::kEqual);
  EXPECT_EQ(window_state(Window{-2, 2, 2}), WindowState::kEqual) << "the sign does not count";
  EXPECT_EQ(window_state(Window{3}), WindowState::kOneBin);
  EXPECT_EQ(window_state(Window{0}), WindowState::kOneBin);
  EXPECT_EQ(window_state(Window{0, 0, 1e-42F}), WindowState::kDefined);
  EXPECT_EQ(window_state(Window{-3, 2}), WindowState::kDefined);
  EXPECT_EQ(window_state(Window{1, 2}, true), WindowState::kZeroDna);
}

// Four roundings up and four down from the largest are the limit of what counts as equal, at any
// scale.
TEST(WindowStateTest, EqualWithinRounding) {
  constexpr float kEpsilon = std::numeric_limits<float>::epsilon();
  for (const float scale : {1.0F, 0x1p-100F, 0x1p100F}) {
    EXPECT_EQ(window_state(Window{scale, scale * (1 - 4 * kEpsilon)}), WindowState::kEqual);
    EXPECT_EQ(window_state(Window{scale * (1 - 4.5F * kEpsilon), scale}), WindowState::kDefined);
  }
  // Rounded sums of softmax rows that are uniform by construction.
  Window row(896);
  for (std::size_t bin = 0; bin < row.size(); ++bin) {
    row[bin] = std::nextafter(1.0F / 896.0F, bin % 2 == 0 ? 0.0F : 1.0F);
  }
  EXPECT_EQ(window_state(row), WindowState::kEqual);
}

TEST(WindowStateTest, NotANumberIsAnError) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(window_state(Window{1, nan}), Error);
  EXPECT_THROW(window_state(Window{nan}, true), Error);
  EXPECT_THROW(window_state(Window{std::numeric_limits<float>::infinity(), 1}), Error);
}

TEST(WindowStateTest, RowsOfAMapThatAreEqualWithinRounding) {
  const float above = std::nextafter(5.0F, 6.0F);
  const RowCorrelation c =
      row_correlation(std::vector<float>{1, 2, 3, 5, above, 5, 2, 4, 6, 0, 0, 0}, 4);
  EXPECT_EQ(c.pairs, 1);
  EXPECT_EQ(c.constant_rows, 2);
  EXPECT_NEAR(c.mean, 1.0, 1e-6);
}

/// Five enhancers, four bins, three genes (A, B, C); C was never trained.
class UndefinedWindowsTest : public testing::Test {
 protected:
  UndefinedWindowsTest()
      : inputs_({{Split::kTrain, 0, 0, 0.5F, -1}, {Split::kTrain, 0, 1, 0.5F, -1}}) {
    inputs_.methods = choose_methods("gradient_x_input");
  }

  void add(std::int32_t enhancer, std::int32_t gene, const std::vector<Window>& windows,
           bool zero_dna = false) {
    results_.push_back(test::SectionInputs::result(enhancer, {gene}, zero_dna));
    results_.back().scores.push_back({0.0F, windows});
    numbers_.push_back(pair_numbers(results_.back().pairs.front(), results_.back().scores.front(),
                                    inputs_.methods, zero_dna));
    results_.back().numbers.push_back(numbers_.back());
  }
  AttributionSummary summary() const {
    return summarise(numbers_, inputs_.methods, *inputs_.data, inputs_.truth, {.replicates = 19});
  }

  test::SectionInputs inputs_;
  std::vector<EnhancerResult> results_;
  std::vector<PairNumbers> numbers_;
};

const Window kFirst{9, 1, 2, 3}, kSecond{1, 9, 2, 3}, kLast{1, 2, 3, -9};
const Window kZeros{0, 0, 0, 0}, kEven{0.25F, 0.25F, 0.25F, 0.25F};

TEST_F(UndefinedWindowsTest, EachMethodLeavesOutItsOwn) {
  add(0, 0, {kSecond, kZeros, kLast});
  add(1, 0, {kEven, kSecond, {1, -1, 1, 1}});
  add(2, 1, {kSecond, kSecond, kZeros});
  add(3, 2, {kFirst, kFirst, kLast}, true);
  add(4, 2, {kSecond, {1, 2, 3, 9}, kLast});
  const AttributionSummary s = summary();
  EXPECT_EQ(s.pairs, 5);
  EXPECT_EQ(s.zero_dna, 1);
  EXPECT_EQ(s.untrained, 2);
  const std::vector<std::int64_t> n{3, 3, 2};
  const std::vector<double> edge{0.0, 1.0 / 3.0, 1.0};
  for (std::size_t m = 0; m < 3; ++m) {
    const MethodSummary& method = s.methods[m].second;
    EXPECT_EQ(method.n, n[m]);
    EXPECT_EQ(method.edge_share.value, edge[m]) << "no peak at bin 0 of nothing";
    EXPECT_EQ(method.why.zero_dna, 1);
  }
  const MethodSummary& attention = s.methods[0].second;
  EXPECT_LT(attention.effective_bins.value, 3.0) << "the even window is in no mean";
  // Attention peaks in bin 1, 128 bp before the centre; both peaks of gradient x input are in bin
  // 3.
  EXPECT_EQ(attention.distance_mean_bp.value, 128.0);
  EXPECT_EQ(s.methods[2].second.distance_mean_bp.value, 128.0);
  const nlohmann::ordered_json json = fields_json(s);
  EXPECT_EQ(json["methods"]["attention"]["undefined"], 2);
  EXPECT_EQ(json["methods"]["attention"]["undefined_why"],
            (nlohmann::ordered_json{{"zero_dna", 1}, {"one_bin", 0}, {"zero", 0}, {"equal", 1}}));
  EXPECT_EQ(json["pairs_of_untrained_genes"], 2);
  const std::string table = summary_table(s);
  EXPECT_NE(table.find("left out: attention of 1 pair is the same in every bin\n"),
            std::string::npos)
      << table;
  EXPECT_NE(table.find("All 4 bins of a window are top bins"), std::string::npos) << table;
  EXPECT_EQ(table.find("bins shared"), std::string::npos) << "no test of shared top bins";
}

TEST_F(UndefinedWindowsTest, AComparisonLeavesOutWhereEitherIsUndefined) {
  add(0, 0, {kSecond, kZeros, kLast});
  add(1, 0, {kEven, kSecond, kSecond});
  add(2, 1, {kSecond, kSecond, kZeros});
  add(3, 2, {kFirst, kFirst, kFirst}, true);
  const AttributionSummary s = summary();
  ASSERT_EQ(s.agreement.size(), 3U);
  for (const Agreement& a : s.agreement) {
    EXPECT_EQ(a.n, 1);
    EXPECT_EQ(a.undefined, 3);
    EXPECT_EQ(a.overlap.value, 4.0) << "all four bins are top bins";
  }
  EXPECT_EQ(s.agreement[0].between_bp.value, 0.0);
  EXPECT_EQ(s.agreement[1].between_bp.value, 256.0);  // bins 1 and 3
  EXPECT_NEAR(s.agreement[2].spearman.value, 1.0, 1e-12);
  EXPECT_EQ(s.peaks_apart.n, 1);
  EXPECT_EQ(s.peaks_apart.mean_bp, 0.0);
  EXPECT_FALSE(numbers_[0].shared_top.has_value() || numbers_[1].shared_top.has_value());
  EXPECT_EQ(numbers_[2].shared_top, 4);
}

TEST_F(UndefinedWindowsTest, WithoutAnyWindowNothingIsClaimed) {
  add(0, 0, {kEven, kZeros, kZeros});
  add(1, 0, {kFirst, kFirst, kFirst}, true);
  const nlohmann::ordered_json json = fields_json(summary());
  for (const char* method : {"attention", "gradient", "gradient_x_input"}) {
    const auto& numbers = json["methods"][method];
    EXPECT_EQ(numbers["n"], 0);
    EXPECT_TRUE(std::isnan(numbers["peak_distance_bp"]["mean"]["value"].get<double>()));
    EXPECT_TRUE(std::isnan(numbers["effective_bins"]["value"].get<double>()));
    EXPECT_TRUE(
        std::isnan(numbers["null"]["uniform"]["peak_in_outer_5_percent"]["p"].get<double>()));
  }
  EXPECT_TRUE(std::isnan(json["top_overlap"]["min"].get<double>()));
  EXPECT_EQ(numbers_[0].windows[0].concentration.effective_bins, 4.0)
      << "an even window spreads over all bins, and says so";
  EXPECT_THROW(numbers_[0].windows[0].peak(), Error);
}

TEST_F(UndefinedWindowsTest, SitesAreFoundByPeaksOnly) {
  Truth truth;
  for (const char* enhancer : {"E0", "E1", "E2"}) {
    truth.sites[enhancer] = {{0}, {3}};
    truth.has_effect[{enhancer, "A"}] = true;
  }
  add(0, 0, {kZeros, kFirst, kFirst});
  add(1, 0, {kFirst, kFirst, kEven});
  add(2, 0, {kFirst, kFirst, kFirst}, true);
  inputs_.truth = truth;
  const SiteHits hits = summary().planted_sites->causal;
  EXPECT_EQ(hits.pairs, 2);
  const std::vector<std::int64_t> expected{1, 2, 1};
  for (std::size_t m = 0; m < 3; ++m) {
    EXPECT_EQ(hits.methods[m].second.n, expected[m]);
    EXPECT_EQ(hits.methods[m].second.hits, expected[m]);
  }
  const std::unique_ptr<Section> scores = make_truth_scores(inputs_.context());
  for (const EnhancerResult& result : results_) scores->add(result);
  AttributionSummary all;
  scores->finish(&all);
  const nlohmann::ordered_json json = fields_json(*all.truth_scores);
  EXPECT_EQ(json["zero_dna_left_out"], 1);
  EXPECT_EQ(json["methods"]["attention"]["n"], 1);
  EXPECT_EQ(json["methods"]["attention"]["undefined"], 1);
  EXPECT_EQ(json["methods"]["attention"]["causal"]["auroc"]["value"], 1.0)
      << "a window of zeros would have 0.5";
  EXPECT_EQ(json["methods"]["gradient"]["n"], 2);
}

}  // namespace
}  // namespace cdt

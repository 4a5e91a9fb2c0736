#include "model/rollout.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/attention_window.h"
#include "model/profile.h"

namespace cdt {
namespace {

TEST(RolloutTest, NoLayersLeaveTheRow) {
  EXPECT_EQ(roll_through({0.25, 0.75}, {2, 2, {}}, {}), (std::vector<double>{0.25, 0.75}));
}

// row ((A2 + I) / 2) ((A1 + I) / 2) by hand: the last layer comes first.
TEST(RolloutTest, LayersFromTheLastToTheFirst) {
  const LayerMaps maps{1, 2, {{0.5F, 0.5F, 0.0F, 1.0F}, {1.0F, 0.0F, 1.0F, 0.0F}}};
  const std::vector<double> row = roll_through({0.0, 1.0}, maps, {{1.0}, {1.0}});
  EXPECT_DOUBLE_EQ(row[0], 0.5 * 0.75);  // A2' moves half to bin 0, A1' keeps 0.75 of it
  EXPECT_DOUBLE_EQ(row[1], 0.5 + 0.5 * 0.25);
}

TEST(RolloutTest, HeadsAreMixedByTheirWeights) {
  const LayerMaps maps{2, 2, {{1.0F, 0.0F, 0.0F, 1.0F, 0.0F, 1.0F, 1.0F, 0.0F}}};
  const std::vector<double> row = roll_through({1.0, 0.0}, maps, {{0.25, 0.75}});
  EXPECT_DOUBLE_EQ(row[0], 0.5 + 0.5 * 0.25);
  EXPECT_DOUBLE_EQ(row[1], 0.5 * 0.75);
  EXPECT_EQ(mix_heads(std::vector<float>{1, 2, 3, 5}, std::vector<double>{0.5, 0.5}),
            (std::vector<double>{2.0, 3.5}));
}

TEST(RolloutTest, WeightsAreSharesOfTheNorms) {
  EXPECT_EQ(head_weights(std::vector<double>{1, 3}), (std::vector<double>{0.25, 0.75}));
  EXPECT_EQ(head_weights(std::vector<double>{0, 0}), (std::vector<double>{0.5, 0.5}));
}

// torch: p = (a + 1e-10).log().div(0.3).exp(); p / p.sum()
TEST(SharpenedTest, IsThePapersTemperatureScaling) {
  const std::vector<float> got = sharpened(std::vector<float>{0.1F, 0.2F, 0.7F, 0.0F}, 0.3);
  EXPECT_NEAR(got[0], 0.0014987680, 1e-8);
  EXPECT_NEAR(got[1], 0.0151066343, 1e-8);
  EXPECT_NEAR(got[2], 0.9833945977, 1e-7);
  EXPECT_LT(got[3], 1e-25F);
  const std::vector<float> same = sharpened(std::vector<float>{0.25F, 0.75F}, 1.0);
  EXPECT_NEAR(same[1], 0.75, 1e-7);
}

// A temperature far below any use: the largest score stays finite, its share becomes 1.
TEST(SharpenedTest, LowTemperaturesDoNotUnderflow) {
  const std::vector<float> got = sharpened(std::vector<float>{0.4F, 0.6F}, 1e-4);
  EXPECT_EQ(got[0], 0.0F);
  EXPECT_EQ(got[1], 1.0F);
}

TEST(RowCorrelationTest, KnownRows) {
  const std::vector<float> rows{1, 2, 3, 2, 4, 6, 3, 2, 1, 5, 5, 5};
  const RowCorrelation c = row_correlation(rows, 4);
  EXPECT_EQ(c.pairs, 3);
  EXPECT_EQ(c.constant_rows, 1);
  EXPECT_NEAR(c.mean, -1.0 / 3.0, 1e-6);
  EXPECT_NEAR(c.median, -1.0, 1e-6);
  EXPECT_NEAR(c.min, -1.0, 1e-6);
  EXPECT_NEAR(c.share_above, 1.0 / 3.0, 1e-12);
  const RowCorrelation none = row_correlation(std::vector<float>{1, 1, 2, 2}, 2);
  EXPECT_EQ(none.pairs, 0);
  EXPECT_TRUE(std::isnan(none.mean) && std::isnan(none.min) && std::isnan(none.share_above));
}

}  // namespace
}  // namespace cdt

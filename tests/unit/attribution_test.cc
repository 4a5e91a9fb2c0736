#include "model/explain/attribution.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "model/stats/profile.h"
#include "tests/support/precision.h"
#include "tests/support/small_model.h"

namespace cdt {
namespace {

using test::kBins;
using test::kModelGradient;
using test::kModelValue;
using test::model_cases;
using test::ModelCase;
using test::small_config;
using test::SmallModel;
using test::tolerance;

/// Gradient windows by the plain forward and backward pass, through the whole input.
std::vector<double> direct_window(SmallModel& m, std::int32_t gene) {
  m.tape.clear();
  const Var dna = m.tape.input(m.dna);
  const Var out = m.forward(dna);
  const Scratch cotangent(m.scratch, out->value.shape);
  m.backend->fill(*cotangent, 0.0F);
  m.backend->fill({cotangent.data() + gene, {1}}, 1.0F);
  m.tape.backward(out, *cotangent);
  const std::vector<float> gradient = to_host(*m.backend, dna->grad);
  std::vector<double> norms;
  for (std::int64_t bin = 0; bin < kBins; ++bin) {
    double sum = 0.0;
    for (std::int64_t f = 0; f < m.config.dna_dim; ++f) {
      const double g = gradient[static_cast<std::size_t>(bin * m.config.dna_dim + f)];
      sum += g * g;
    }
    norms.push_back(std::sqrt(sum));
  }
  return norms;
}

/// Rows of the whole map that the model itself records.
std::vector<double> recorded_row(SmallModel& m, std::int32_t gene) {
  m.tape.clear();
  Recorder recorder;
  recorder.want_attention = true;
  m.forward(m.tape.constant(m.dna), &recorder);
  const std::vector<float> map =  // (1, H, G, L)
      to_host(*m.backend, recorder.attention.at("dna_to_rna.attention"));
  std::vector<double> mean(static_cast<std::size_t>(kBins), 0.0);
  for (std::int64_t h = 0; h < m.config.heads; ++h) {
    for (std::int64_t bin = 0; bin < kBins; ++bin) {
      mean[static_cast<std::size_t>(bin)] +=
          map[static_cast<std::size_t>((h * m.config.genes + gene) * kBins + bin)] /
          static_cast<double>(m.config.heads);
    }
  }
  return mean;
}

class AttributionTest : public testing::TestWithParam<ModelCase> {
 protected:
  AttributionTest() : m(GetParam().config()) {}
  SmallModel m;
};

// Rounding of a dozen chained products, relative to the largest score: in float32 the project's
// bounds are 1e-4 for gradients and 1e-5 for forward values.
TEST_P(AttributionTest, GradientEqualsTheOneThroughTheWholeInput) {
  for (const std::int32_t gene : {0, 4}) {
    const std::vector<float> window = m.attribute({gene}).front().gradient;
    const std::vector<double> direct = direct_window(m, gene);
    double largest = 0.0;
    for (const double d : direct) largest = std::max(largest, d);
    ASSERT_GT(largest, 0.0);
    for (std::size_t bin = 0; bin < direct.size(); ++bin) {
      EXPECT_NEAR(window[bin], direct[bin], tolerance(1e-4, kModelGradient) * largest)
          << "gene " << gene << " bin " << bin;
    }
  }
}

TEST_P(AttributionTest, AttentionEqualsTheRecordedMap) {
  for (const std::int32_t gene : {0, 5}) {
    const std::vector<float> window = m.attribute({gene}).front().attention;
    const std::vector<double> row = recorded_row(m, gene);
    for (std::size_t bin = 0; bin < row.size(); ++bin) {
      EXPECT_NEAR(window[bin], row[bin], tolerance(1e-5, kModelValue));
    }
  }
}

TEST_P(AttributionTest, PredictionEqualsThePlainForwardPass) {
  EXPECT_NEAR(m.attribute({3}).front().prediction, m.predict(3), tolerance(1e-5, kModelValue));
}

// One forward pass serves several genes: one gene's backward pass must not affect the next,
// whatever the order.
TEST_P(AttributionTest, GenesDoNotInfluenceEachOther) {
  const std::vector<PairWindows> together = m.attribute({2, 0, 2});
  const std::vector<PairWindows> alone = m.attribute({0});
  ASSERT_EQ(together.size(), 3U);
  EXPECT_EQ(together[1].gradient, alone[0].gradient);
  EXPECT_EQ(together[1].attention, alone[0].attention);
  EXPECT_EQ(together[0].gradient, together[2].gradient);
  EXPECT_NE(together[0].gradient, together[1].gradient);
}

INSTANTIATE_TEST_SUITE_P(Models, AttributionTest, model_cases(),
                         [](const auto& info) { return info.param.name; });

// The definition, independent of our gradient rules: central differences of the prediction along
// every feature of one bin. The prediction is float32, so the step is large and the bound loose.
TEST(AttributionDefinitionTest, GradientIsTheDerivative) {
  SmallModel m(small_config(Variant::kReleased, 13, 1));
  const std::vector<float> window = m.attribute({1}).front().gradient;
  const double step = 1e-2;
  for (const std::int64_t bin : {std::int64_t{0}, kBins - 1}) {
    double sum = 0.0;
    for (std::int64_t f = 0; f < m.config.dna_dim; ++f) {
      float& x = m.dna.data[bin * m.config.dna_dim + f];
      const float before = x;
      x = before + static_cast<float>(step);
      const double up = m.predict(1);
      x = before - static_cast<float>(step);
      const double down = m.predict(1);
      x = before;
      sum += (up - down) * (up - down) / (4.0 * step * step);
    }
    EXPECT_NEAR(window[static_cast<std::size_t>(bin)] / std::sqrt(sum), 1.0, 0.02);
  }
}

TEST(ProfileTest, PeakIsTheFirstOfEquals) {
  EXPECT_EQ(peak_bin(std::vector<float>{1, 3, 3, 2}), 1);
  EXPECT_EQ(peak_bin(std::vector<float>{0.25F, 0.25F}), 0);
}

// numpy: argsort(-scores, kind="stable")[:3]
TEST(ProfileTest, TopTakesTheLowerOfEqualBins) {
  EXPECT_EQ(top_bins(std::vector<float>{5, 1, 1, 1, 9}, 3), (std::vector<std::int64_t>{4, 0, 1}));
  EXPECT_EQ(top_bins(std::vector<float>{1, 2}, 20), (std::vector<std::int64_t>{1, 0}));
  const std::vector<float> equal{1, 3, 3, 2};
  EXPECT_EQ(top_bins(equal, 1).front(), peak_bin(equal));
}

TEST(ProfileTest, OverlapCountsSharedBins) {
  EXPECT_EQ(overlap({9, 1, 4}, {4, 9, 2}), 2);
  EXPECT_EQ(overlap({1}, {2}), 0);
}

// The paper's bin 818 of 896 is +47.4 kb and bin 5 is -56.7 kb.
TEST(ProfileTest, OffsetsAreThePapers) {
  EXPECT_EQ(offset_bp(818, 896, 128), 47360);
  EXPECT_EQ(offset_bp(5, 896, 128), -56704);
  EXPECT_EQ(offset_bp(2, 5, 10), 0);
}

TEST(ProfileTest, EdgesAreTheOuterFivePercent) {
  EXPECT_TRUE(at_edge(21, 896));
  EXPECT_FALSE(at_edge(22, 896));
  EXPECT_FALSE(at_edge(873, 896));
  EXPECT_TRUE(at_edge(874, 896));
  EXPECT_TRUE(at_edge(0, 3));
  EXPECT_FALSE(at_edge(1, 3));
}

TEST(ProfileTest, ConcentrationOfKnownProfiles) {
  const Concentration uniform = concentration(std::vector<float>(8, 0.125F));
  EXPECT_NEAR(uniform.entropy, std::log(8.0), 1e-12);
  EXPECT_NEAR(uniform.effective_bins, 8.0, 1e-12);
  EXPECT_NEAR(uniform.peak_over_uniform, 1.0, 1e-12);
  const Concentration single = concentration(std::vector<float>{0, 0, 3, 0});
  EXPECT_EQ(single.entropy, 0.0);
  EXPECT_EQ(single.peak_over_uniform, 4.0);
  EXPECT_TRUE(std::isnan(concentration(std::vector<float>{0, 0}).entropy));
}

// The reproducibility study's null for the published figures: mean 28.7 kb, median 28.7 kb, 87.2 %
// within 50 kb, 0.45 shared bins in the top 20.
TEST(ProfileTest, RandomPeaksAtThePapersSizes) {
  const RandomPeaks r = random_peaks(896, 128, 20, 50000);
  EXPECT_NEAR(r.distance_mean_bp, 28672.0, 1e-6);
  EXPECT_NEAR(r.distance_median_bp, 28672.0, 128.0);
  EXPECT_NEAR(r.share_near, 781.0 / 896.0, 1e-12);
  EXPECT_NEAR(r.overlap_mean, 400.0 / 896.0, 1e-12);
  EXPECT_NEAR(r.edge_share, 44.0 / 896.0, 1e-12);
  EXPECT_NEAR(r.distance_sd_bp / 10.0, 1655.0, 1.0);  // for a mean over 100 pairs
}

// Enumerates every pair of bins, and every pair of two-bin sets, of a window of five.
TEST(ProfileTest, RandomPeaksByEnumeration) {
  const RandomPeaks r = random_peaks(5, 10, 2, 10);
  double between = 0.0;
  for (int a = 0; a < 5; ++a) {
    for (int b = 0; b < 5; ++b) between += 10.0 * std::abs(a - b) / 25.0;
  }
  EXPECT_NEAR(r.between_mean_bp, between, 1e-12);
  EXPECT_EQ(r.between_median_bp, 10.0);  // 5 of 25 in the same bin, 8 more one bin apart
  EXPECT_EQ(r.distance_mean_bp, 12.0);   // 20, 10, 0, 10, 20
  EXPECT_EQ(r.distance_median_bp, 10.0);
  EXPECT_NEAR(r.share_near, 0.6, 1e-12);
  EXPECT_NEAR(r.edge_share, 0.4, 1e-12);
  EXPECT_NEAR(r.overlap_mean, 0.8, 1e-12);
  EXPECT_NEAR(r.overlap_sd, 0.6, 1e-12);  // 0, 1, 2 shared bins with probability 0.3, 0.6, 0.1
}

}  // namespace
}  // namespace cdt

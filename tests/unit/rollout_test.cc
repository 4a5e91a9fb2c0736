#include "model/explain/rollout.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/explain/attention_maps.h"
#include "model/stats/profile.h"
#include "tests/support/small_model.h"

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

using test::kBins;
using test::small_config;
using test::SmallModel;

/// Rollout that ends in DNA pooling, against the maps themselves.
class DnaPoolTest : public testing::Test {
 protected:
  DnaPoolTest() {
    m.randomise(m.model.parameter("vce.dna_attn.in_proj_bias"), 6);
    Recorder recorder;
    recorder.want_attention = true;
    m.tape.clear();
    m.model.forward({.tape = m.tape,
                     .dna = m.tape.constant(m.dna),
                     .trunks = &explainer.trunks(),
                     .recorder = &recorder});
    pool = to_host(*m.backend, recorder.attention.at("vce.dna.attention"));
    for (const char* layer : {"dna_self_attn_layers.0", "dna_self_attn_layers.1"}) {
      layers.push_back(
          to_host(*m.backend, recorder.attention.at(std::string(layer) + ".attention")));
    }
    x = to_host(*m.backend, recorder.values.at("dna_self_attn_layers.1")->value);
    for (const char* name : {"vce.dna", "vce.rna", "vce.protein"}) {
      pooled.push_back(to_host(*m.backend, recorder.values.at(name)->value));
    }
    m.tape.clear();
  }

  /// row ((A2 + I) / 2) ((A1 + I) / 2) with heads mixed by weights, bin by bin.
  std::vector<double> by_hand(std::vector<double> row,
                              const std::vector<std::vector<double>>& weights) const {
    for (const std::size_t layer : {1, 0}) {
      std::vector<double> next(kBins, 0.0);
      for (std::size_t i = 0; i < kBins; ++i) {
        for (std::size_t j = 0; j < kBins; ++j) {
          double a = i == j ? 0.5 : 0.0;
          for (std::size_t h = 0; h < 3; ++h) {
            a += 0.5 * weights[layer][h] * layers[layer][(h * kBins + i) * kBins + j];
          }
          next[j] += row[i] * a;
        }
      }
      row = next;
    }
    return row;
  }

  double predict(const std::vector<float>& dna, std::int64_t gene) {
    m.tape.clear();
    const auto input = [&](const std::vector<float>& values) {
      const Tensor t = m.tape.saved({1, m.config.hidden});
      m.backend->upload(t, values.data());
      return m.tape.constant(t);
    };
    const Pooled parts{input(dna), input(pooled[1]), input(pooled[2])};
    const Var out = m.model.predict({.tape = m.tape}, parts);
    return to_host(*m.backend, out->value)[static_cast<std::size_t>(gene)];
  }

  /// d prediction / d weight of a bin in a pooling head, by central differences: the head's value
  /// of the bin, W_v x + b_v, enters the pooled vector through the output map.
  double weight_gradient(std::int64_t head, std::size_t bin, std::int64_t gene) {
    const auto parameter = [&](const char* name) {
      return to_host(*m.backend, m.model.parameter(name).variable.value);
    };
    const std::vector<float> in = parameter("vce.dna_attn.in_proj_weight");
    const std::vector<float> bias = parameter("vce.dna_attn.in_proj_bias");
    const std::vector<float> out = parameter("vce.dna_attn.out_proj.weight");
    const auto d = static_cast<std::size_t>(m.config.hidden);
    const std::size_t k = d / 2;
    std::vector<double> direction(d, 0.0);
    for (std::size_t i = static_cast<std::size_t>(head) * k;
         i < (static_cast<std::size_t>(head) + 1) * k; ++i) {
      double value = bias[2 * d + i];
      for (std::size_t j = 0; j < d; ++j) value += in[(2 * d + i) * d + j] * x[bin * d + j];
      for (std::size_t j = 0; j < d; ++j) direction[j] += out[j * d + i] * value;
    }
    const double step = 0.05;
    std::vector<float> up = pooled[0], down = pooled[0];
    for (std::size_t j = 0; j < d; ++j) {
      up[j] += static_cast<float>(step * direction[j]);
      down[j] -= static_cast<float>(step * direction[j]);
    }
    return (predict(up, gene) - predict(down, gene)) / (2.0 * step);
  }

  SmallModel m{small_config(Variant::kReleased, 29, 2)};
  Explainer explainer{m.model, m.tape, m.rna, m.protein, m.lasting};
  std::vector<std::vector<float>> layers;  // (H, L, L) each
  std::vector<float> pool;                 // (2, L)
  std::vector<float> x;                    // (L, D)
  std::vector<std::vector<float>> pooled;  // (D) each
};

TEST_F(DnaPoolTest, RolloutIsTheProductByHand) {
  const auto got = rollout(explainer, explainer.project(m.dna), {1, 4}, RolloutEnd::kDnaPool);
  const std::vector<double> third(3, 1.0 / 3.0);
  const std::vector<double> expected =
      by_hand(mix_heads(pool, std::vector<double>{0.5, 0.5}), {third, third});
  for (std::size_t bin = 0; bin < kBins; ++bin) EXPECT_NEAR(got[0][bin], expected[bin], 1e-6);
  EXPECT_EQ(got[0], got[1]);
  EXPECT_NEAR(std::accumulate(got[0].begin(), got[0].end(), 0.0), 1.0, 1e-5);
  EXPECT_NE(rollout(explainer, explainer.project(m.dna), {1})[0], got[0]);
}

TEST_F(DnaPoolTest, GmarWeightsPoolingHeadsByTheirGradient) {
  for (const MapNorm norm : {MapNorm::kL1, MapNorm::kL2}) {
    const Gmar got = gmar(explainer, explainer.project(m.dna), {3}, RolloutEnd::kDnaPool, norm)[0];
    std::vector<double> norms;
    for (std::int64_t head = 0; head < 2; ++head) {
      double sum = 0.0;
      for (std::size_t bin = 0; bin < kBins; ++bin) {
        const double g = weight_gradient(head, bin, 3);
        sum += norm == MapNorm::kL1 ? std::fabs(g) : g * g;
      }
      norms.push_back(norm == MapNorm::kL1 ? sum : std::sqrt(sum));
    }
    ASSERT_EQ(got.end_weights.size(), 2U);
    EXPECT_GT(std::fabs(got.end_weights[0] - 0.5), 0.01);
    EXPECT_NEAR(got.end_weights[0], head_weights(norms)[0], 0.005);
    EXPECT_EQ(
        got.layer_weights,
        gmar(explainer, explainer.project(m.dna), {3}, RolloutEnd::kRna, norm)[0].layer_weights);
    const std::vector<double> expected =
        by_hand(mix_heads(pool, got.end_weights), got.layer_weights);
    for (std::size_t bin = 0; bin < kBins; ++bin) EXPECT_NEAR(got.scores[bin], expected[bin], 1e-6);
  }
}

// The paper variant's pooling has one head and no output map.
TEST(DnaPoolPaperTest, HasOneHead) {
  SmallModel m(small_config(Variant::kPaper, 29, 2));
  Explainer explainer(m.model, m.tape, m.rna, m.protein, m.lasting);
  const Gmar got = gmar(explainer, explainer.project(m.dna), {2}, RolloutEnd::kDnaPool)[0];
  EXPECT_EQ(got.end_weights, (std::vector<double>{1.0}));
  EXPECT_NEAR(std::accumulate(got.scores.begin(), got.scores.end(), 0.0), 1.0, 1e-5);
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

// An extremely low temperature: the largest score stays finite and its share becomes 1.
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

// The attention window against PyTorch (record_attention.py): rollout, GMAR with its head weights,
// and the statistics of the maps.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "model/explain/attention_maps.h"
#include "model/explain/rollout.h"
#include "tests/parity/model_case.h"
#include "tests/support/precision.h"

namespace cdt::test {
namespace {

using Floats = std::vector<float>;

class AttentionParity : public testing::TestWithParam<const char*> {
 protected:
  Floats recorded(const std::string& kind, std::int64_t sample) const {
    return fixture_.values(name(kind, sample));
  }
  std::string name(const std::string& kind, std::int64_t sample) const {
    return std::string(GetParam()) + "/" + kind + "/" + std::to_string(sample);
  }
  std::int32_t gene(std::int64_t sample) const {
    return case_.genes(0)[static_cast<std::size_t>(sample)];
  }
  /// The projected DNA of a sample, whose genes the explainer then places.
  Floats z(std::int64_t sample) {
    case_.place(explainer_, sample);
    return explainer_.project(case_.dna.slice(sample, sample + 1));
  }
  /// The requested maps of one sample, (H, Nq, Nk) by name.
  std::map<std::string, Floats> maps(std::int64_t sample, const std::vector<AttentionMap>& wanted) {
    std::map<std::string, Floats> out;
    const MapReceiver receive = [&](const AttentionMap& map, std::span<const float> values) {
      out[map.name] = Floats(values.begin(), values.end());
    };
    trunk_maps(explainer_, wanted, receive);
    enhancer_maps(explainer_, z(sample), wanted, receive);
    return out;
  }
  std::vector<AttentionMap> all_maps() const {
    return attention_maps(case_.model.config(), case_.dna.shape[1]);
  }
  Tape& tape() { return case_.engine.tape; }

  Fixture fixture_{"attention"};
  ModelCase case_{GetParam()};
  Explainer explainer_{case_.model, tape(), case_.rna, case_.protein, case_.engine.lasting};
};

TEST_P(AttentionParity, RolloutOfEverySample) {
  Comparison c(forward_tolerance());
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    c.check(name("rollout", b), rollout(explainer_, z(b), {gene(b)}).front(),
            recorded("rollout", b));
  }
  EXPECT_TRUE(c.result());
}

TEST_P(AttentionParity, GmarAndItsHeadWeights) {
  Comparison c(gradient_tolerance());
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    for (const MapNorm norm : {MapNorm::kL1, MapNorm::kL2}) {
      const std::string kind = norm == MapNorm::kL1 ? "gmar" : "gmar_l2";
      // The same gene twice: the second must not see the gradients of the first.
      const std::vector<Gmar> got =
          gmar(explainer_, z(b), {gene(b), gene(b)}, RolloutEnd::kRna, norm);
      EXPECT_EQ(got[0].scores, got[1].scores);
      c.check(name(kind, b), got[1].scores, recorded(kind, b));
      Floats weights;
      for (const std::vector<double>& layer : got[1].layer_weights) {
        weights.insert(weights.end(), layer.begin(), layer.end());
      }
      weights.insert(weights.end(), got[1].end_weights.begin(), got[1].end_weights.end());
      c.check(name(kind + "_weights", b), weights, recorded(kind + "_weights", b));
    }
  }
  EXPECT_TRUE(c.result());
}

// ModelParity compares all maps at once; here each is requested alone, by name.
TEST_P(AttentionParity, EachMapAloneIsTheRecordedOne) {
  Comparison c(forward_tolerance());
  for (const AttentionMap& map : all_maps()) {
    const Floats got = maps(0, {map}).at(map.name);
    const std::string wanted = "attention/" + map.name + ".attention";
    Floats want = case_.fixture.values(wanted);
    want.resize(want.size() / static_cast<std::size_t>(case_.fixture.shape(wanted)[0]));
    c.check(map.name, got, want);
  }
  EXPECT_TRUE(c.result());
}

TEST_P(AttentionParity, HeadEntropyOfEveryMap) {
  Comparison c(forward_tolerance());
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    const std::map<std::string, Floats> values = maps(b, all_maps());
    for (const AttentionMap& map : all_maps()) {
      Floats entropies;
      for (const Concentration& head : head_concentration(map, values.at(map.name))) {
        entropies.push_back(static_cast<float>(head.entropy));
      }
      // A single position: an entropy of 0 on both sides.
      c.check(name("entropy/" + map.name, b), entropies, recorded("entropy/" + map.name, b), 1e-6);
    }
  }
  EXPECT_TRUE(c.result());
}

// Maps with nearly equal rows: 1 - r carries the rounding of the map divided by its spread.
TEST_P(AttentionParity, CorrelationOfGeneRows) {
  for (std::int64_t b = 0; b < case_.batch(); ++b) {
    if (!fixture_.has(name("row_correlation", b))) continue;
    const CdtConfig& config = case_.model.config();
    const Floats map = maps(b, all_maps()).at("dna_to_rna");
    const RowCorrelation got = row_correlation(mean_over_heads(map, config.heads), config.genes);
    const Floats want = recorded("row_correlation", b);
    EXPECT_EQ(got.pairs, config.genes * (config.genes - 1) / 2);
    EXPECT_EQ(got.constant_rows, 0);
    const double bound = tolerance(1e-4, kModelValue);
    EXPECT_NEAR(got.mean, want[0], bound);
    EXPECT_NEAR(got.median, want[1], bound);
    EXPECT_NEAR(got.min, want[2], bound);
  }
}

INSTANTIATE_TEST_SUITE_P(Fixtures, AttentionParity, testing::ValuesIn(kModels),
                         [](const auto& info) { return std::string(info.param); });

}  // namespace
}  // namespace cdt::test

// Batches over windows of several enhancers, also recorded, against one enhancer at a time.
#include "model/explain/attribution_batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "engine/error.h"
#include "model/explain/gradient_pass.h"
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

constexpr std::size_t kZeroDna = 3;  // the enhancer whose DNA is all zeros

/// An enhancer and its genes.
struct Asked {
  std::size_t enhancer;
  std::vector<std::int32_t> genes;
};

/// Four enhancers under a small model, and a batch with the given number of places.
class World {
 public:
  World(const CdtConfig& config, std::int64_t places, bool want_product = true)
      : m(config),
        windows_(m.lasting.tensor({4, kBins, config.dna_dim}, m.backend->activations())),
        dna_(m.lasting.tensor({places, kBins, config.dna_dim}, m.backend->activations())),
        explainer(m.model, m.tape, m.rna, m.protein, m.lasting),
        batch_(explainer, places, kBins, want_product, m.lasting) {
    std::vector<float> values = test::draws({4, kBins, config.dna_dim}, 21);
    std::fill(values.begin() + kZeroDna * kBins * config.dna_dim, values.end(), 0.0F);
    const Scratch wide(m.scratch, windows_.shape);
    m.backend->upload(*wide, values.data());
    m.backend->cast(windows_, *wide);
  }

  Tensor window(std::size_t enhancer) const {
    const auto row = static_cast<std::int64_t>(enhancer);
    return windows_.slice(row, row + 1);
  }

  /// The results for all requested genes, in order; unused places of a batch are filled up.
  std::vector<PairWindows> run(const std::vector<Asked>& asked) {
    std::vector<std::vector<std::int32_t>> genes(static_cast<std::size_t>(batch_.places()));
    std::vector<std::vector<PairWindows>> by_place;
    for (std::size_t place = 0; place < genes.size(); ++place) {
      const auto row = static_cast<std::int64_t>(place);
      m.backend->copy(dna_.slice(row, row + 1),
                      window(asked[std::min(place, asked.size() - 1)].enhancer));
      if (place < asked.size()) genes[place] = asked[place].genes;
      by_place.emplace_back(genes[place].size());
    }
    batch_.run(dna_, genes, [&](std::size_t place, std::size_t index, PairWindows windows) {
      by_place.at(place).at(index) = std::move(windows);
    });
    std::vector<PairWindows> out;
    for (auto& of_place : by_place) std::move(of_place.begin(), of_place.end(), back_inserter(out));
    return out;
  }

  /// attribute() of each enhancer.
  std::vector<PairWindows> one_by_one(const std::vector<Asked>& asked) {
    std::vector<PairWindows> out;
    for (const Asked& a : asked) {
      attribute(explainer, explainer.project(window(a.enhancer)), a.genes, true,
                [&](std::size_t, const PairWindows& windows) { out.push_back(windows); });
    }
    return out;
  }

  const AttributionBatch& batch() const { return batch_; }

  SmallModel m;

 private:
  Tensor windows_, dna_;

 public:
  Explainer explainer;

 private:
  AttributionBatch batch_;
};

void expect_near(const std::vector<float>& a, const std::vector<float>& b, double bound) {
  ASSERT_EQ(a.size(), b.size());
  double most = 0.0;
  for (const float x : b) most = std::max(most, std::fabs(static_cast<double>(x)));
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], bound * most);
}

/// Compares within the bounds of attribution_test.cc.
void expect_near(const std::vector<PairWindows>& a, const std::vector<PairWindows>& b) {
  const double value = tolerance(1e-5, kModelValue);
  const double gradient = tolerance(1e-4, kModelGradient);
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_NEAR(a[i].prediction, b[i].prediction, value);
    expect_near(a[i].attention, b[i].attention, value);
    expect_near(a[i].gradient, b[i].gradient, gradient);
    expect_near(a[i].gradient_x_input, b[i].gradient_x_input, gradient);
  }
}

void expect_equal(const std::vector<PairWindows>& a, const std::vector<PairWindows>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].prediction, b[i].prediction) << "pair " << i;
    EXPECT_EQ(a[i].attention, b[i].attention) << "pair " << i;
    EXPECT_EQ(a[i].gradient, b[i].gradient) << "pair " << i;
    EXPECT_EQ(a[i].gradient_x_input, b[i].gradient_x_input) << "pair " << i;
  }
}

/// Unequal numbers of genes, one enhancer in two places, and one gene shared by two enhancers.
std::vector<Asked> mixed() { return {{0, {2, 0, 5}}, {1, {2}}, {kZeroDna, {4, 1}}, {0, {1}}}; }

class AttributionBatchTest : public testing::TestWithParam<ModelCase> {};

// Batches of any size; the last one is filled up.
TEST_P(AttributionBatchTest, GivesWhatOneEnhancerAtATimeGives) {
  for (const std::size_t places : {1U, 3U}) {
    World world(GetParam().config(), static_cast<std::int64_t>(places));
    std::vector<PairWindows> got;
    for (std::size_t first = 0; first < mixed().size(); first += places) {
      std::vector<Asked> asked;
      for (std::size_t i = first; i < std::min(mixed().size(), first + places); ++i) {
        asked.push_back(mixed()[i]);
      }
      for (PairWindows& windows : world.run(asked)) got.push_back(std::move(windows));
    }
    expect_near(got, world.one_by_one(mixed()));
  }
}

// With other neighbours, in another place or with other numbers of rounds, the bits stay the same.
/// Programs run batches on GPUs only. The bits of a row of oneDNN's products may depend on where
/// the row is among the others (with AVX2 they do), so on the CPU results are compared within
/// bounds.
void expect_same_results(const World& world, const std::vector<PairWindows>& a,
                         const std::vector<PairWindows>& b) {
  if (world.m.backend->asynchronous()) {
    expect_equal(a, b);
  } else {
    expect_near(a, b);
  }
}

TEST_P(AttributionBatchTest, BitsDoNotDependOnThePlaceNorOnOtherPairs) {
  World world(GetParam().config(), 4);
  const std::vector<PairWindows> first = world.run(mixed());  // 0: 2 0 5; 1: 2; zeros: 4 1; 0: 1
  const std::vector<PairWindows> moved =
      world.run({{kZeroDna, {1}}, {0, {1, 5}}, {2, {0, 3, 2}}, {1, {2}}});
  expect_same_results(world, {moved[0], moved[1], moved[2], moved[6]},
                      {first[5], first[6], first[2], first[3]});
  const std::vector<PairWindows> alone = world.run({{0, {5}}});
  expect_same_results(world, alone, {first[2]});
}

// The first batch runs normally, the second is recorded, later ones are replayed; passes of other
// methods use the same memory in between.
TEST_P(AttributionBatchTest, AReplayIsTheBatchItself) {
  World world(GetParam().config(), 2);
  const auto run = [&](const std::vector<Asked>& asked) {
    std::vector<PairWindows> windows = world.run(asked);
    GradientPass other(world.explainer, world.explainer.project(world.window(2)));
    other.gradients({0, 1, 2, 3, 4, 5}, [](std::size_t, const Tensor&) {});
    return windows;
  };
  const std::vector<Asked> a{{2, {3}}, {1, {0}}}, b{{0, {5, 1}}, {kZeroDna, {2}}};
  const std::vector<Asked> c{{1, {4}}, {0, {0, 3, 2}}};
  const std::vector<PairWindows> as_it_is = run(a);
  const std::vector<PairWindows> recorded = run(b);
  const std::vector<PairWindows> replayed = run(c);
  expect_equal(run(a), as_it_is);
  expect_equal(run(b), recorded);
  World fresh(GetParam().config(), 2);
  expect_equal(replayed, fresh.run(c));
  EXPECT_NE(as_it_is[0].gradient, as_it_is[1].gradient);
  EXPECT_NE(replayed[1].gradient, replayed[2].gradient);
}

INSTANTIATE_TEST_SUITE_P(Models, AttributionBatchTest, model_cases(),
                         [](const auto& info) { return info.param.name; });

TEST(AttributionBatchDnaTest, KnowsZeros) {
  World world(small_config(Variant::kReleased, 29, 1), 3, /*want_product=*/false);
  for (int run = 0; run < 3; ++run) {
    const std::vector<PairWindows> windows = world.run({{kZeroDna, {1}}, {2, {1}}});
    EXPECT_TRUE(world.batch().is_zero(0));
    EXPECT_FALSE(world.batch().is_zero(1));
    EXPECT_TRUE(windows[0].gradient_x_input.empty());
    world.run({{1, {0}}, {kZeroDna, {0}}});
    EXPECT_FALSE(world.batch().is_zero(0));
    EXPECT_TRUE(world.batch().is_zero(1));
  }
}

TEST(AttributionBatchGeneTest, RefusesGenesThatAreNotThere) {
  World world(small_config(Variant::kReleased, 29, 1), 1);
  EXPECT_THROW(world.run({{0, {6}}}), Error);
  EXPECT_THROW(world.run({{0, {-1}}}), Error);
}

}  // namespace
}  // namespace cdt

// The noise ceiling follows the pairs, not the split that truth.json recorded.
#include "apps/evaluation/noise_ceiling.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/stats/statistics.h"
#include "tests/support/small_dataset.h"
#include "tests/support/temp_dir.h"

namespace cdt {
namespace {

TEST(NoiseCeiling, IsThatOfThePairsAtHand) {
  const test::TempDir dir;
  test::write_small_dataset(dir.path / "data", {{.enhancer = 0, .gene = 0, .beta = 1},
                                                {.enhancer = 1, .gene = 0, .beta = 3},
                                                {.enhancer = 2, .gene = 1, .beta = 2},
                                                {.enhancer = 3, .gene = 2, .beta = -1}});
  const Dataset data(dir.path / "data");
  Truth truth;
  truth.ceiling["train"] = 0.5;
  EXPECT_EQ(noise_ceiling(truth, data, data.pairs, "train"), 0.5)
      << "only what is recorded is known";
  EXPECT_TRUE(std::isnan(noise_ceiling(truth, data, data.pairs, "test")));
  EXPECT_TRUE(std::isnan(noise_ceiling(std::nullopt, data, data.pairs, "train")));

  truth.noiseless = {{{"E0", "A"}, 0}, {{"E1", "A"}, 2}, {{"E2", "B"}, 3}, {{"E3", "C"}, -2}};
  const std::vector<float> noiseless{0, 2, 3, -2}, measured{1, 3, 2, -1};
  const double all = compute_metrics(noiseless, measured).pearson;
  EXPECT_DOUBLE_EQ(noise_ceiling(truth, data, data.pairs, "test"), all);
  const std::vector<Pair> some(data.pairs.begin(), data.pairs.begin() + 3);
  EXPECT_NE(noise_ceiling(truth, data, some, "test"), all);
  const std::vector<Pair> one(data.pairs.begin(), data.pairs.begin() + 1);
  EXPECT_TRUE(std::isnan(noise_ceiling(truth, data, one, "test"))) << "one pair has no correlation";
}

}  // namespace
}  // namespace cdt

#include <gtest/gtest.h>

#include <cmath>

#include "apps/attribute/numbers.h"

namespace cdt {
namespace {

const Method kPlain{.name = "plain"};
const Method kSigned{.name = "signed", .is_signed = true};

// Values from SciPy: tests/parity/record_statistics.py. A signed method is ranked by absolute
// value.
TEST(ChanceTest, CorrelationsAsSciPy) {
  const PairScores scores{0.0F,
                          {{0.1F, 0.5F, 0.2F, 0.9F, 0.4F, 0.4F},
                           {0.3F, -0.6F, 0.2F, 0.7F, -0.1F, 0.5F},
                           {1, 1, 1, 1, 1, 1}}};
  const std::vector<WindowCorrelation> c =
      window_correlations(scores, {&kPlain, &kSigned, &kPlain});
  ASSERT_EQ(c.size(), 3U);
  EXPECT_NEAR(c[0].pearson, 0.7278298963786375, 1e-7);  // inputs are float32
  EXPECT_NEAR(c[0].spearman, 0.6957252427829381, 1e-12);
  EXPECT_TRUE(std::isnan(c[1].pearson));  // a constant window
  EXPECT_TRUE(std::isnan(c[2].spearman));
}

}  // namespace
}  // namespace cdt

// Terminal tables with numbers that are undefined, huge or all from one enhancer.
#include "apps/common/tables.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "apps/evaluation/evaluation.h"
#include "io/format/text.h"
#include "model/stats/statistics.h"
#include "tests/support/evaluated.h"

namespace cdt {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(CellsTest, EachIsAsWideAsItsColumn) {
  EXPECT_EQ(number_cell(0.12345, 8, 4), "  0.1235");
  EXPECT_EQ(number_cell(kNaN, 8, 4), "       -");
  EXPECT_EQ(number_cell(kNaN, 0, 4), "-");
  EXPECT_EQ(number_cell(-1e38, 9, 4), " -1.0e+38");
  EXPECT_EQ(number_cell(1e38, 0, 4), "1.0e+38");
  EXPECT_EQ(number_cell(INFINITY, 5, 1), "  inf");
  EXPECT_EQ(p_cell(0.0123, 7), "  0.012");
  EXPECT_EQ(p_cell(kNaN, 7), "      -");
  EXPECT_EQ(p_cell(ResampledP{0.0123, 0.00212, false}, 16), "   0.012 \u00b1 0.002");
  EXPECT_EQ(p_cell(ResampledP{0.0002, 0.0002, true}, 10), "  \u2264 0.0002");
  EXPECT_EQ(p_cell(ResampledP{0.5, kNaN, false}, 5), "  0.5");
  EXPECT_EQ(p_cell(ResampledP{0.00011, 0.0001, false}, 3), "0.00011 \u00b1 0.0001");
  EXPECT_EQ(interval_cell({0.5, 12.25}, 15, 1), "[  0.5,   12.2]");
  for (const Interval& undefined : {Interval{kNaN, kNaN}, Interval{kNaN, 1.0}}) {
    EXPECT_EQ(interval_cell(undefined, 15, 1), "              -");
  }
  EXPECT_EQ(number_of(1, "bin"), "1 bin");
  EXPECT_EQ(number_of(0, "bin"), "0 bins");
  EXPECT_EQ(named({"A:X"}, "pair"), "1 pair (A:X)");
  EXPECT_EQ(named({"a", "b", "c", "d", "e"}, "bin"), "5 bins (a, b, c, d, e)");
  EXPECT_EQ(named({"a", "b", "c", "d", "e", "f"}, "bin"), "6 bins (a, b, c, d, e, ...)");
}

/// The output of cdt-predict for pairs with effects `betas`, each of its own enhancer or all of
/// one.
std::string printed(const std::vector<float>& betas, const std::vector<float>& predictions,
                    bool one_enhancer) {
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < betas.size(); ++i) {
    const auto row = static_cast<std::int32_t>(i);
    pairs.push_back({Split::kVal, one_enhancer ? 0 : row, row, betas[i], -1});
  }
  Evaluation e = test::evaluated(pairs, predictions, pairs, 0.9, 50);
  e.split = "val";
  std::string out = summary_table(e);
  EXPECT_FALSE(holds(out, "nan")) << out;
  return out;
}

TEST(PredictTableTest, WhatIsUndefinedHasItsReason) {
  const std::string one = printed({0.5F}, {0.1F}, true);
  EXPECT_EQ(one.rfind("val: 1 pair, 1 enhancer in 1 locus, 1 gene\n", 0), 0U) << one;
  EXPECT_TRUE(holds(one,
                    "-: undefined for the model, global mean, gene mean, gene median, clipped gene "
                    "mean, shrunk gene\n   mean: a correlation needs two pairs\n"))
      << one;
  EXPECT_TRUE(holds(one, "of which the model reaches: undefined, the model has no r\n")) << one;
  EXPECT_TRUE(
      holds(printed({0.5F, 0.5F, 0.5F}, {0.1F, 0.2F, 0.3F}, false), ": all effects are equal\n"));
  const std::string flat = printed({0.1F, 0.5F, 0.7F}, {0.2F, 0.2F, 0.2F}, false);
  EXPECT_TRUE(holds(flat, "-: undefined for the model, global mean")) << flat;
  EXPECT_TRUE(holds(flat, "shrunk gene mean: all predictions are\n   equal\n")) << flat;
  const std::string enhancer = printed({0.1F, 0.5F, 0.7F}, {0.1F, 0.3F, 0.2F}, true);
  EXPECT_TRUE(holds(enhancer, ": an interval needs pairs of two loci\n")) << enhancer;
  EXPECT_TRUE(holds(enhancer, " (no interval)\n")) << enhancer;
  printed({1e38F, -1e38F, 1e38F}, {0.1F, 0.3F, 0.2F}, false);
}

}  // namespace
}  // namespace cdt

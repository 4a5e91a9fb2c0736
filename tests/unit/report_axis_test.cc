// Axis ranges for whatever numbers a figure may have, and that every figure uses them.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "apps/report/gnuplot.h"
#include "apps/report/picture.h"
#include "engine/error.h"
#include "model/stats/statistics.h"

namespace cdt {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ReportAxisTest, EveryRangeCanBeDrawn) {
  const std::vector<Extent> extents = {{},
                                       {kNaN, kInfinity, -kInfinity},
                                       {0.0},
                                       {0.0, 1e-310},
                                       {5.0},
                                       {-5.0, -5.0},
                                       {1.0, 1.0 + 1e-15},
                                       {0.0, 1.0},
                                       {-0.3, 2e5},
                                       {1e38},
                                       {-1e38, 1e38},
                                       {-1e308, 1e308, kNaN},
                                       {1e-45},
                                       {1e-45, 1e38},
                                       {9.0, 9.5},
                                       {-3.0, 0.0}};
  for (std::size_t i = 0; i < extents.size(); ++i) {
    const Extent& extent = extents[i];
    for (int bits = 0; bits < 16; ++bits) {
      const AxisStyle style{.integers = (bits & 1) != 0,
                            .from_zero = (bits & 2) != 0,
                            .to_ticks = (bits & 4) != 0,
                            .logarithmic = (bits & 8) != 0,
                            .margin = (bits & 4) != 0 ? 0.0 : 0.02};
      SCOPED_TRACE("extent " + std::to_string(i) + ", style " + std::to_string(bits));
      const AxisRange range = axis_range(extent, style);
      ASSERT_TRUE(std::isfinite(range.low) && std::isfinite(range.high));
      ASSERT_LT(range.low, range.high);
      if (style.logarithmic) {
        EXPECT_GT(range.low, 0.0);
        EXPECT_GE(range.high / range.low, 9.99) << "a decade, so that two ticks are in it";
        EXPECT_GE(range.tick, 9.99);
        if (std::isfinite(extent.least_positive())) {
          EXPECT_LE(range.low, extent.least_positive() * (1 + 1e-12));
        }
        continue;
      }
      const double ticks = (range.high - range.low) / range.tick;
      EXPECT_LE(ticks, style.most_ticks + 2.0);
      EXPECT_TRUE(style.integers || ticks >= 2.0) << ticks;
      EXPECT_TRUE(!style.integers || range.tick == std::floor(range.tick)) << range.tick;
      EXPECT_TRUE(!style.from_zero || range.low <= 0.0) << range.low;
      if (extent.empty()) continue;
      EXPECT_LE(range.low, extent.low());
      EXPECT_GE(range.high, extent.high());
      // gnuplot prints six digits, in which neighbouring ticks must differ.
      const double size = std::max(std::fabs(range.low), std::fabs(range.high));
      EXPECT_GT(range.tick, 5e-6 * size);
    }
  }
}

TEST(ReportAxisTest, RangesAsExpected) {
  const auto range = [](const Extent& extent, const AxisStyle& style) {
    const AxisRange r = axis_range(extent, style);
    return std::vector<double>{r.low, r.high, r.tick};
  };
  EXPECT_EQ(range({0.5, 2.5}, {.most_ticks = 8, .integers = true}),
            (std::vector<double>{0.5, 2.5, 1.0}));
  EXPECT_EQ(range({0.0, 4.0}, {.from_zero = true, .to_ticks = true}),
            (std::vector<double>{0.0, 4.0, 0.5}));
  EXPECT_EQ(range({0.0}, {.integers = true, .from_zero = true, .to_ticks = true}),
            (std::vector<double>{0.0, 1.0, 1.0}));
  EXPECT_EQ(range({20.0, 300.0, -1.0}, {.logarithmic = true}),
            (std::vector<double>{10.0, 1000.0, 10.0}));
}

TEST(ReportAxisTest, NoFigureSetsItsOwnRangeOrHasNone) {
  const Canvas canvas{.width = 300, .height = 200};
  EXPECT_THROW(Plot(canvas).run("set xrange [0:1]"), Error);
  EXPECT_THROW(Plot(canvas).axis("x", {}).run("plot x"), Error);
  Plot plot(canvas);
  plot.axis("x", {kNaN}).axis("y", {1e38}).mark(kNaN);
  const std::string data = plot.data({{kNaN, kNaN}});
  plot.run("plot " + data + " using 1:2 with points pointtype 7");
  EXPECT_NE(Gnuplot().draw(plot.script()).find("no value is defined"), std::string::npos);
}

TEST(ReportAxisTest, RoundStepsFitTheSpan) {
  EXPECT_DOUBLE_EQ(round_step(114.688, 9.0), 20.0);
  EXPECT_DOUBLE_EQ(round_step(1.0, 10.0), 0.1);
  EXPECT_DOUBLE_EQ(round_step(0.114688, 7.0), 0.02);
  EXPECT_DOUBLE_EQ(round_step(7.0, 1.0), 10.0);
}

}  // namespace
}  // namespace cdt

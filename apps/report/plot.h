// gnuplot scripts for figures: axes that suit any numbers, and the commands that figures share.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "apps/report/style.h"

namespace cdt {

/// Size of a drawing, in CSS pixels at full size.
struct Canvas {
  int width = 0;
  int height = 0;
  bool narrow = false;
};

/// Rows of numbers; values that are not finite are not drawn.
using Rows = std::vector<std::vector<double>>;

/// Every k-th row, so that at most `most` are left.
Rows thinned(const Rows& rows, std::size_t most);

/// Range of numbers that an axis must show. Values that are not finite are ignored, so it may be
/// empty; huge numbers count as kHuge.
class Extent {
 public:
  static constexpr double kHuge = 1e250;

  Extent() = default;
  Extent(std::initializer_list<double> values) {
    for (const double value : values) add(value);
  }
  Extent& add(double value);
  /// Adds column `column` of rows of numbers.
  Extent& add(const Rows& rows, std::size_t column);

  bool empty() const { return low_ > high_; }
  /// Lower end; the extent must not be empty.
  double low() const { return low_; }
  double high() const { return high_; }
  /// Smallest positive number; infinity if there is none.
  double least_positive() const { return least_positive_; }

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double low_ = kInfinity, high_ = -kInfinity, least_positive_ = kInfinity;
};

struct AxisStyle {
  double most_ticks = 8.0;   // approximate number over the range
  bool integers = false;     // ticks only at whole numbers: epochs, counts, ranks
  bool from_zero = false;    // the range starts at 0
  bool to_ticks = false;     // the range ends at ticks
  bool logarithmic = false;  // whole decades; numbers up to 0 are not shown
  double margin = 0.0;       // space beyond both ends, as a share of the span
};

/// Range of an axis: finite, low < high, and wide enough for its ticks to differ in the digits that
/// gnuplot prints.
struct AxisRange {
  double low = 0, high = 1;
  double tick = 1;  // between ticks; their ratio if logarithmic
};

/// 1, 2 or 5 times a power of ten: the smallest step of which at most `most` fit into `span` > 0.
double round_step(double span, double most);

/// Range of an axis for any extent: around the value if all are equal; 0 to 1, or one decade, if it
/// is empty.
AxisRange axis_range(const Extent& extent, const AxisStyle& style);

/// Makes any text safe for a quoted string of a script: what could mean something to gnuplot,
/// control characters and invalid UTF-8 become "?".
std::string plain(std::string_view text);

class Plot {
 public:
  explicit Plot(const Canvas& canvas);

  const Canvas& canvas() const { return canvas_; }
  /// Adds one command on one line; text that is not our own must pass through plain() first. Does
  /// not set ranges: axis() does, for "x" and "y" before the first plot.
  Plot& run(const std::string& command);
  /// Sets range and ticks of "x", "y" or "cb" by axis_range(). If nothing is defined, the panel
  /// says so.
  Plot& axis(const std::string& name, const Extent& extent, const AxisStyle& style = {});
  /// Adds a label along "x" or "y".
  Plot& label(const std::string& axis, std::string_view text);
  /// Draws lines at the ticks of "xtics", "ytics" or "xtics ytics", and no others.
  Plot& grid(const std::string& ticks);
  /// Sets the space around a panel, in characters.
  Plot& margins(double left, double right, double top);
  /// Sets the edges of a panel, as shares of the canvas.
  Plot& sides(double left, double right);
  Plot& heights(double bottom, double top);
  /// Labels rows from the top down, at heights 0, -1, ..., over a vertical grid; names may be any
  /// text.
  Plot& rows(const std::vector<std::string>& names);
  /// Draws a dashed line at x over the whole height; none if x is not finite.
  Plot& mark(double x);
  /// Plots layers, the first at the bottom; each is what follows `plot` for one data set.
  Plot& draw(const std::vector<std::string>& layers);

  /// Stores rows under a name to plot from, "$d0".
  std::string data(const Rows& rows);
  /// A layer of points from columns 1 and 2.
  static std::string points(const std::string& data, double size, Ink ink, double opacity = 1.0);
  /// A layer of points {x, y, low, high} with intervals in x.
  std::string dots(const Rows& points, Ink ink);

  const std::string& script() const { return script_; }

 private:
  Canvas canvas_;
  std::string script_;
  int blocks_ = 0;
  bool has_x_ = false, has_y_ = false;  // whether the ranges are set
  bool x_empty_ = false, y_empty_ = false;
};

}  // namespace cdt

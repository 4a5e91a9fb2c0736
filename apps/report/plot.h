// Scripts of figures for gnuplot: axes that hold whatever numbers there are, and the commands the
// figures share.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "apps/report/style.h"

namespace cdt {

/// What a script draws on, in CSS pixels at full size.
struct Canvas {
  int width = 0;
  int height = 0;
  bool narrow = false;
};

/// Rows of numbers; what is not finite is left out of the picture.
using Rows = std::vector<std::vector<double>>;

/// Every k-th row, so that at most `most` are left.
Rows thinned(const Rows& rows, std::size_t most);

/// The numbers that an axis must show. What is not finite counts for nothing, so that it may be
/// empty; huge numbers count as kHuge.
class Extent {
 public:
  static constexpr double kHuge = 1e250;

  Extent() = default;
  Extent(std::initializer_list<double> values) {
    for (const double value : values) add(value);
  }
  Extent& add(double value);
  /// Column `column` of rows of numbers.
  Extent& add(const Rows& rows, std::size_t column);

  bool empty() const { return low_ > high_; }
  /// Not of an empty one.
  double low() const { return low_; }
  double high() const { return high_; }
  /// The least number above 0; infinity if there is none.
  double least_positive() const { return least_positive_; }

 private:
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double low_ = kInfinity, high_ = -kInfinity, least_positive_ = kInfinity;
};

struct AxisStyle {
  double most_ticks = 8.0;   // about, over the range
  bool integers = false;     // ticks at whole numbers only: epochs, counts, ranks
  bool from_zero = false;    // the range starts at 0
  bool to_ticks = false;     // the range ends at ticks
  bool logarithmic = false;  // whole decades; numbers up to 0 are not shown
  double margin = 0.0;       // beyond both ends, share of the span
};

/// Finite, low < high, and wide enough for its ticks to differ in the digits that gnuplot prints.
struct AxisRange {
  double low = 0, high = 1;
  double tick = 1;  // from one to the next; their ratio if logarithmic
};

/// 1, 2 or 5 times a power of ten: the smallest step of which at most `most` fit into `span` > 0.
double round_step(double span, double most);

/// The range of an axis for any extent: around the one value where all are equal, 0 to 1 or one
/// decade where there is none.
AxisRange axis_range(const Extent& extent, const AxisStyle& style);

/// Any text, fit for a script between quotes: what could mean something to gnuplot, control
/// characters and bytes that are no UTF-8 become "?".
std::string plain(std::string_view text);

class Plot {
 public:
  explicit Plot(const Canvas& canvas);

  const Canvas& canvas() const { return canvas_; }
  /// One command on one line; text that is not ours passes through plain() first. No ranges: axis()
  /// sets them, "x" and "y" before the first plot.
  Plot& run(const std::string& command);
  /// Sets range and ticks of "x", "y" or "cb" by axis_range(). Where nothing is defined, the panel
  /// says so.
  Plot& axis(const std::string& name, const Extent& extent, const AxisStyle& style = {});
  /// Text along "x" or "y".
  Plot& label(const std::string& axis, std::string_view text);
  /// Lines at the ticks of "xtics", "ytics" or "xtics ytics", and no others.
  Plot& grid(const std::string& ticks);
  /// Space around a panel, in characters.
  Plot& margins(double left, double right, double top);
  /// Edges of a panel, as shares of the canvas.
  Plot& sides(double left, double right);
  Plot& heights(double bottom, double top);
  /// Rows named from the top down, at heights 0, -1, ..., over a vertical grid; of any names.
  Plot& rows(const std::vector<std::string>& names);
  /// A dashed line at x over the whole height; none where x is not finite.
  Plot& mark(double x);
  /// Plots layers, the first at the bottom: each what follows `plot` for one data set.
  Plot& draw(const std::vector<std::string>& layers);

  /// Rows under a name to plot from, "$d0".
  std::string data(const Rows& rows);
  /// A layer of points of columns 1 and 2.
  static std::string points(const std::string& data, double size, Ink ink, double opacity = 1.0);
  /// A layer of points {x, y, low, high} with their intervals of x.
  std::string dots(const Rows& points, Ink ink);

  const std::string& script() const { return script_; }

 private:
  Canvas canvas_;
  std::string script_;
  int blocks_ = 0;
  bool has_x_ = false, has_y_ = false;  // ranges
  bool x_empty_ = false, y_empty_ = false;
};

}  // namespace cdt

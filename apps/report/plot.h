// Figures: gnuplot scripts made of numbers, drawn twice (for a wide page and for a phone) and put
// into the page as SVG whose colours are CSS variables.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/report/gnuplot.h"
#include "apps/report/html.h"

namespace cdt {

/// Colours of figures by role; the style sheet gives each a light and a dark value.
enum class Ink { kText, kMuted, kGrid, kNull, kBlue, kOrange, kGreen, kPurple, kRed, kTeal, kGold };
constexpr std::size_t kInks = 11;
/// The CSS variable, "--blue".
const char* ink_name(Ink ink);
/// The colour in a script, "rgb '#00010204'".
std::string rgb(Ink ink, double opacity = 1.0);

/// What a script draws on, in CSS pixels at full size.
struct Canvas {
  int width = 0;
  int height = 0;
  bool narrow = false;
};

class Plot {
 public:
  explicit Plot(const Canvas& canvas);

  const Canvas& canvas() const { return canvas_; }
  /// One command; must not hold text that is not ours.
  Plot& run(const std::string& command);
  /// Sets the ticks of "x", "y" or "x2" to round steps, at most `most` of them over `span`.
  Plot& ticks(const std::string& axis, double span, double most);
  /// Rows named from the top down, at heights 0, -1, ..., over a vertical grid; a name is ours.
  Plot& rows(const std::vector<std::string>& names);
  /// The part of a plot command that draws points {x, y, low, high} with their intervals of x.
  std::string dots(const std::vector<std::vector<double>>& points, Ink ink);
  /// A dashed line at x over the whole height.
  Plot& mark(double x);
  /// Rows of numbers under a name to plot from, "$d0"; what is not finite is left out by gnuplot.
  std::string data(const std::vector<std::vector<double>>& rows);
  const std::string& script() const { return script_; }

 private:
  Canvas canvas_;
  std::string script_;
  int blocks_ = 0;
};

/// gnuplot's SVG as an element for the page: no document head, no fonts, no ids, colours of Ink as
/// variables, `label` for readers who do not see it, `css_class` on the svg. Error if it is no SVG.
Html inline_svg(std::string_view svg, std::string_view label, std::string_view css_class);

/// 1, 2 or 5 times a power of ten: the smallest step of which at most `most` fit into `span` > 0.
double round_step(double span, double most);

constexpr int kWidePixels = 720;
constexpr int kNarrowPixels = 340;

/// Both forms of a figure; the style sheet shows one. A height is a canvas's.
struct Heights {
  int wide = 0;
  int narrow = 0;
};
Html draw_both(const Gnuplot& gnuplot, std::string_view label, const Heights& heights,
               const std::function<void(Plot&)>& describe);

}  // namespace cdt

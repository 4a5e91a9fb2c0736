#include "apps/report/plot.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr double kNothing = 1e-250;  // smaller numbers count as 0
constexpr double kLeastRelative =
    1e-4;  // least span over magnitude, since ticks are printed with six digits
constexpr const char* kTicks = " nomirror out scale 0.5 textcolor ";
constexpr const char* kEmptyLabel = "9999";  // number of the label, above those of all others

/// Whole decades, at least one.
AxisRange decades(const Extent& extent, const AxisStyle& style) {
  if (!std::isfinite(extent.least_positive())) return {1.0, 10.0, 10.0};
  const double low = std::floor(std::log10(extent.least_positive()));
  const double high = std::max(std::ceil(std::log10(extent.high())), low + 1.0);
  const double step = std::max(1.0, std::ceil((high - low) / style.most_ticks));
  return {std::pow(10.0, low), std::pow(10.0, high), std::pow(10.0, step)};
}

/// The extent, widened by half its size on both sides if it is too narrow for ticks.
AxisRange widened(const Extent& extent, const AxisStyle& style) {
  if (extent.empty()) return {};
  double low = style.from_zero ? std::min(extent.low(), 0.0) : extent.low();
  double high = style.from_zero ? std::max(extent.high(), 0.0) : extent.high();
  if (low == 0.0 && high == 0.0) return style.from_zero ? AxisRange{} : AxisRange{-1.0, 1.0};
  const double size = std::max(std::fabs(low), std::fabs(high));
  if (high - low < kLeastRelative * size) {
    const double middle = low + 0.5 * (high - low);
    low = middle - 0.5 * size;
    high = middle + 0.5 * size;
  }
  const double margin = style.margin * (high - low);
  return {low - margin, high + margin};
}

}  // namespace

Rows thinned(const Rows& rows, std::size_t most) {
  const std::size_t step = (rows.size() + most - 1) / most;
  Rows out;
  for (std::size_t i = 0; i < rows.size(); i += step) out.push_back(rows[i]);
  return out;
}

Extent& Extent::add(double value) {
  if (!std::isfinite(value)) return *this;
  value = std::fabs(value) < kNothing ? 0.0 : std::clamp(value, -kHuge, kHuge);
  low_ = std::min(low_, value);
  high_ = std::max(high_, value);
  if (value > 0.0) least_positive_ = std::min(least_positive_, value);
  return *this;
}

Extent& Extent::add(const Rows& rows, std::size_t column) {
  for (const std::vector<double>& row : rows) add(row[column]);
  return *this;
}

double round_step(double span, double most) {
  const double least = span / most;
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= least) return factor * power;
  }
  return 10.0 * power;
}

AxisRange axis_range(const Extent& extent, const AxisStyle& style) {
  if (style.logarithmic) return decades(extent, style);
  AxisRange range = widened(extent, style);
  range.tick = round_step(range.high - range.low, style.most_ticks);
  if (style.integers) range.tick = std::max(range.tick, 1.0);
  if (style.to_ticks) {
    range.low = range.tick * std::floor(range.low / range.tick);
    range.high = range.tick * std::ceil(range.high / range.tick);
  }
  return range;
}

std::string plain(std::string_view text) {
  constexpr std::string_view kHarmless = " _-+,.:/()%|=";
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    const bool harmless = length > 1 || std::isalnum(static_cast<unsigned char>(text[at])) != 0 ||
                          kHarmless.find(text[at]) != std::string_view::npos;
    out += harmless ? text.substr(at, length) : "?";
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

Plot::Plot(const Canvas& canvas) : canvas_(canvas) {
  run("set encoding utf8").run("set minussign");
  run("set terminal svg size " + std::to_string(canvas.width) + "," +
      std::to_string(canvas.height) + " dynamic noenhanced font ',13' linewidth 1");
  run("unset key");
  run("set border 3 linecolor " + rgb(Ink::kMuted) + " linewidth 1");
  run("set xlabel textcolor " + rgb(Ink::kText));
  run("set ylabel textcolor " + rgb(Ink::kText));
  run("set grid ytics linetype 1 linecolor " + rgb(Ink::kGrid) + " linewidth 1 back");
  run("set style fill solid 1.0 noborder");
  run("set samples 400");
}

Plot& Plot::run(const std::string& command) {
  CDT_CHECK(command.find('\n') == std::string::npos, "one command is one line");
  CDT_CHECK(command.find("range [") == std::string::npos, "axis() sets the ranges of a figure");
  CDT_CHECK(command.rfind("plot ", 0) != 0 || (has_x_ && has_y_), "a plot needs both axes");
  script_ += command;
  script_ += '\n';
  return *this;
}

Plot& Plot::axis(const std::string& name, const Extent& extent, const AxisStyle& style) {
  const AxisRange range = axis_range(extent, style);
  script_ += "set " + name + "range [" + format_number(range.low) + ":" +
             format_number(range.high) + "]\n";
  run((style.logarithmic ? "set" : "unset") + std::string(" logscale ") + name);
  run("set " + name + "tics " + format_number(range.tick) + kTicks + rgb(Ink::kMuted));
  if (name == "x") {
    has_x_ = true;
    x_empty_ = extent.empty();
  } else if (name == "y") {
    has_y_ = true;
    y_empty_ = extent.empty();
  }
  if (x_empty_ || y_empty_) {
    return run("set label " + std::string(kEmptyLabel) +
               " 'no value is defined' at graph 0.5, graph 0.5 center front textcolor " +
               rgb(Ink::kMuted));
  }
  return run("unset label " + std::string(kEmptyLabel));
}

Plot& Plot::label(const std::string& axis, std::string_view text) {
  return run("set " + axis + "label '" + plain(text) + "'");
}

Plot& Plot::grid(const std::string& ticks) {
  run("unset grid");
  return run("set grid " + ticks + " linetype 1 linecolor " + rgb(Ink::kGrid));
}

Plot& Plot::margins(double left, double right, double top) {
  run("set lmargin " + format_number(left)).run("set rmargin " + format_number(right));
  return run("set tmargin " + format_number(top));
}

Plot& Plot::sides(double left, double right) {
  run("set lmargin at screen " + format_number(left));
  return run("set rmargin at screen " + format_number(right));
}

Plot& Plot::heights(double bottom, double top) {
  run("set bmargin at screen " + format_number(bottom));
  return run("set tmargin at screen " + format_number(top));
}

Plot& Plot::rows(const std::vector<std::string>& names) {
  run("set border 1").grid("xtics");
  axis("y", {0.4 - static_cast<double>(names.size()), 0.6}).run("unset ytics");
  for (std::size_t i = 0; i < names.size(); ++i) {
    run("set label '" + plain(names[i]) + "' at graph 0, first " +
        format_number(-static_cast<double>(i)) + " right offset -1,0 textcolor " + rgb(Ink::kText));
  }
  return *this;
}

Plot& Plot::mark(double x) {
  if (!std::isfinite(x)) return *this;
  const std::string at = format_number(x);
  return run("set arrow from " + at + ", graph 0 to " + at +
             ", graph 1 nohead dashtype (6,4) linewidth 1.2 linecolor " + rgb(Ink::kMuted));
}

Plot& Plot::draw(const std::vector<std::string>& layers) {
  return run("plot " + joined(layers, ", "));
}

std::string Plot::data(const Rows& rows) {
  std::string name = "$d" + std::to_string(blocks_++);
  std::string block = name + " << END\n";
  for (const std::vector<double>& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      block += (i > 0 ? " " : "") + (std::isfinite(row[i]) ? format_number(row[i]) : "NaN");
    }
    block += '\n';
  }
  script_ += block + "END\n";
  return name;
}

std::string Plot::points(const std::string& data, double size, Ink ink, double opacity) {
  return data + " using 1:2 with points pointtype 7 pointsize " + format_number(size) +
         " linecolor " + rgb(ink, opacity);
}

std::string Plot::dots(const Rows& points, Ink ink) {
  const std::string name = data(points);
  return name + " using 3:2:($4-$3):(0) with vectors nohead linewidth 3 linecolor " + rgb(ink) +
         ", " + Plot::points(name, 1.1, ink);
}

}  // namespace cdt

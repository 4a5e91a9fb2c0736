#include "apps/report/plot.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::array<const char*, kInks> kNames = {
    "--text",   "--muted", "--grid", "--null", "--blue", "--orange", "--green",
    "--purple", "--red",   "--teal", "--gold", "--pink", "--brown",  "--olive"};
constexpr double kOpaque = 255.0;
constexpr const char* kTicks = " nomirror out scale 0.5 textcolor ";
constexpr const char* kEmptyLabel = "9999";  // its number, past those of other labels

}  // namespace

const char* ink_name(Ink ink) { return kNames[static_cast<std::size_t>(ink)]; }

// Red 1 and green 2 mark a colour as one of ours; blue is its number (svg.cc reads it back).
std::string rgb(Ink ink, double opacity) {
  std::array<char, 32> out{};
  const double transparency = kOpaque * (1.0 - std::clamp(opacity, 0.0, 1.0));
  std::snprintf(out.data(), out.size(), "rgb '#%02X0102%02X'",
                static_cast<unsigned>(std::lround(transparency)), static_cast<unsigned>(ink));
  return out.data();
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

std::string Plot::data(const std::vector<std::vector<double>>& rows) {
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

Plot& Plot::rows(const std::vector<std::string>& names) {
  run("set border 1").run("unset grid");
  run("set grid xtics linetype 1 linecolor " + rgb(Ink::kGrid));
  axis("y", {0.4 - static_cast<double>(names.size()), 0.6}).run("unset ytics");
  for (std::size_t i = 0; i < names.size(); ++i) {
    run("set label '" + plain(names[i]) + "' at graph 0, first " +
        format_number(-static_cast<double>(i)) + " right offset -1,0 textcolor " + rgb(Ink::kText));
  }
  return *this;
}

std::string Plot::dots(const std::vector<std::vector<double>>& points, Ink ink) {
  const std::string name = data(points);
  const std::string colour = " linecolor " + rgb(ink);
  return name + " using 3:2:($4-$3):(0) with vectors nohead linewidth 3" + colour + ", " + name +
         " using 1:2 with points pointtype 7 pointsize 1.1" + colour;
}

Plot& Plot::mark(double x) {
  if (!std::isfinite(x)) return *this;
  const std::string at = format_number(x);
  return run("set arrow from " + at + ", graph 0 to " + at +
             ", graph 1 nohead dashtype (6,4) linewidth 1.2 linecolor " + rgb(Ink::kMuted));
}

Html draw_both(const Gnuplot& gnuplot, std::string_view label, const Heights& heights,
               const std::function<void(Plot&)>& describe) {
  Html out;
  for (const bool narrow : {false, true}) {
    Plot plot(Canvas{.width = narrow ? kNarrowPixels : kWidePixels,
                     .height = narrow ? heights.narrow : heights.wide,
                     .narrow = narrow});
    describe(plot);
    out += inline_svg(gnuplot.draw(plot.script()), label, narrow ? "narrow" : "wide");
  }
  return out;
}

}  // namespace cdt

#include "apps/train/trace_svg.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "apps/train/trace_figure.h"
#include "apps/train/trace_text.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

// The figure has its own background, so that it is readable on any page; in dark mode a dark one.
// Colours are not CSS variables, because some SVG renderers do not support them.
constexpr const char* kStyle = R"css(
  text { font-family: Helvetica, Arial, "Liberation Sans", sans-serif; font-size: 12px; fill: #1b2430; }
  .ground { fill: #ffffff; stroke: #d9dde3; }
  .heading { font-size: 21px; font-weight: bold; }
  .title { font-size: 14px; font-weight: bold; }
  .name { font-family: "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 10.5px; }
  .name, .soft { fill: #5b6675; }
  .box { fill: #ffffff; stroke-width: 1.5; }
  .rail { fill: #e3e7ec; }
  .band { fill-opacity: 0.08; }
  .arrow { fill: none; stroke-width: 1.8; }
  .c0 .box, .c0.arrow { stroke: #1f6fb5; } .c0.band, .c0 .bar, .c0 .data, .c0.tip { fill: #1f6fb5; }
  .c1 .box, .c1.arrow { stroke: #1f8a5b; } .c1.band, .c1 .bar, .c1 .data, .c1.tip { fill: #1f8a5b; }
  .c2 .box, .c2.arrow { stroke: #7a55b5; } .c2.band, .c2 .bar, .c2 .data, .c2.tip { fill: #7a55b5; }
  .cx .box, .cx.arrow { stroke: #5b6675; } .cx .bar, .cx.tip { fill: #5b6675; }
  .on-data { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6eaf0; }
    .ground { fill: #12161c; stroke: #333c48; }
    .name, .soft { fill: #a0abba; }
    .box { fill: #1b2129; }
    .rail { fill: #29313c; }
    .band { fill-opacity: 0.12; }
    .c0 .box, .c0.arrow { stroke: #6db3f2; } .c0.band, .c0 .bar, .c0 .data, .c0.tip { fill: #6db3f2; }
    .c1 .box, .c1.arrow { stroke: #5cc998; } .c1.band, .c1 .bar, .c1 .data, .c1.tip { fill: #5cc998; }
    .c2 .box, .c2.arrow { stroke: #b79af0; } .c2.band, .c2 .bar, .c2 .data, .c2.tip { fill: #b79af0; }
    .cx .box, .cx.arrow { stroke: #a0abba; } .cx .bar, .cx.tip { fill: #a0abba; }
    .on-data { fill: #12161c; }
  }
)css";

constexpr double kTip = 8;  // length of an arrow's tip

std::string px(double value) {
  constexpr double kTenth = 10.0;
  return format_number(std::round(value * kTenth) / kTenth);
}

std::string class_of(int column) {
  return column == Figure::kNoColumn ? "cx" : "c" + std::to_string(column % 3);
}

std::string text_at(double x, double y, const std::string& kind, const std::string& words,
                    const char* anchor = "start") {
  return "<text x=\"" + px(x) + "\" y=\"" + px(y) + "\" class=\"" + kind + "\" text-anchor=\"" +
         anchor + "\">" + words + "</text>\n";
}

std::string rectangle(const std::string& kind, double x, double y, double width, double height,
                      double corner) {
  return "<rect class=\"" + kind + "\" x=\"" + px(x) + "\" y=\"" + px(y) + "\" width=\"" +
         px(width) + "\" height=\"" + px(height) + "\" rx=\"" + px(corner) + "\"/>\n";
}

/// The unit of all FLOP in the figure, chosen for the largest module.
struct FlopUnit {
  explicit FlopUnit(double largest) : most(largest) {
    constexpr std::array<const char*, 6> kNames = {"FLOP",  "kFLOP", "MFLOP",
                                                   "GFLOP", "TFLOP", "PFLOP"};
    constexpr double kThousand = 1000.0, kSmallestOfUnit = 10.0;
    std::size_t unit = 0;
    for (; largest / size >= kThousand * kSmallestOfUnit && unit + 1 < kNames.size(); ++unit) {
      size *= kThousand;
    }
    name = kNames[unit];
  }

  std::string text(double flop) const {
    constexpr double kLeast = 0.001;
    const double value = flop / size;
    if (value < kLeast) return "&lt; 0.001 " + name;
    if (value >= 100.0) return format_with_commas(std::llround(value)) + " " + name;
    std::array<char, 32> digits{};
    std::snprintf(digits.data(), digits.size(), value >= 1.0 ? "%.1f" : "%.2g", value);
    return std::string(digits.data()) + " " + name;
  }

  double most;  // of a module
  double size = 1.0;
  std::string name;
};

class Drawing {
 public:
  explicit Drawing(const StepTrace& trace)
      : trace_(trace), figure_(lay_out(trace)), unit_(largest_module(trace)) {}

  std::string text() {
    begin();
    for (std::size_t i = 0; i < figure_.bands.size(); ++i) {
      const Figure::Band& band = figure_.bands[i];
      out_ << rectangle("band " + class_of(static_cast<int>(i)), band.x, band.y, band.width,
                        band.height, 14);
    }
    for (const Figure::Arrow& arrow : figure_.arrows) draw(arrow);
    for (const Figure::Box& box : figure_.boxes) box.module < 0 ? draw_data(box) : draw_module(box);
    end();
    return out_.str();
  }

 private:
  static double largest_module(const StepTrace& trace) {
    double most = 1.0;
    for (const auto& m : trace.modules) most = std::max(most, m.forward.flop + m.backward.flop);
    return most;
  }

  void begin() {
    const std::string size = px(figure_.width) + "\" height=\"" + px(figure_.height);
    const std::string form = variant_name(trace_.config.variant);
    out_ << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         << "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"" << size
         << "\" viewBox=\"0 0 " << px(figure_.width) << " " << px(figure_.height) << "\">\n"
         << "<title>Architecture of the Central Dogma Transformer, " << form << " form</title>\n"
         << "<style>" << kStyle << "</style>\n"
         << rectangle("ground", 0.5, 0.5, figure_.width - 1, figure_.height - 1, 10);
    const double left = figure_.margin + 2;
    const Work work = trace_.total();
    out_ << text_at(left, 46, "heading", "The Central Dogma Transformer")
         << text_at(left, 70, "",
                    "The " + form + " form: " + format_with_commas(trace_.parameters()) +
                        " parameters, " + unit_.text(work.flop) + " in a training step")
         << text_at(left, 88, "soft",
                    "Batch " + format_with_commas(trace_.batch) + ", " +
                        format_with_commas(trace_.bins) + " DNA bins, " +
                        format_with_commas(trace_.config.genes) +
                        " genes. Drawn from the step as the tape recorded it.");
  }

  void end() {
    const double left = figure_.margin + 2;
    out_ << text_at(
                left, figure_.height - 40, "soft",
                "On arrows: batch × tokens × width; a first dimension of 1 is shared by the batch.")
         << text_at(left, figure_.height - 23, "soft",
                    "In boxes: FLOP of matrix products, forward and backward; bars compare them "
                    "between modules.")
         << "</svg>\n";
  }

  void draw(const Figure::Arrow& arrow) {
    const Figure::Box& from = figure_.boxes[arrow.from];
    const Figure::Box& to = figure_.boxes[arrow.to];
    const std::string colour = class_of(from.column);
    const double x = from.centre();
    out_ << "<path class=\"arrow " << colour << "\" data-from=\"" << from.name << "\" data-to=\""
         << to.name << "\" d=\"M" << px(x) << " " << px(from.bottom());
    if (arrow.sideways) {
      out_ << "V" << px(to.middle()) << "H" << px(to.x - kTip) << "\"/>\n";
      draw_tip(colour, to.x, to.middle(), true);
    } else {
      out_ << "V" << px(to.y - kTip) << "\"/>\n";
      draw_tip(colour, x, to.y, false);
    }
    label(arrow, x, to);
  }

  void draw_tip(const std::string& colour, double x, double y, bool sideways) {
    constexpr double kHalf = 4.5;
    out_ << "<path class=\"tip " << colour << "\" d=\"M" << px(x) << " " << px(y);
    if (sideways) {
      out_ << "L" << px(x - kTip) << " " << px(y - kHalf) << "V" << px(y + kHalf) << "Z\"/>\n";
    } else {
      out_ << "L" << px(x - kHalf) << " " << px(y - kTip) << "H" << px(x + kHalf) << "Z\"/>\n";
    }
  }

  void label(const Figure::Arrow& arrow, double x, const Figure::Box& to) {
    constexpr double kAway = 8, kAbove = 17, kUnder = 17;
    const std::string shape = dimensions(arrow.shape, " × ");
    if (arrow.sideways) {
      out_ << text_at(to.x - kTip - kAway, to.middle() - kAway, "soft", arrow.role, "end")
           << text_at(to.x - kTip - kAway, to.middle() + kUnder, "soft", shape, "end");
      return;
    }
    out_ << text_at(x + kAway, to.y - kAbove, "soft", shape);
    if (!arrow.role.empty()) {
      out_ << text_at(x - kAway, to.y - kAbove, "soft", arrow.role, "end");
    }
  }

  void draw_data(const Figure::Box& box) {
    out_ << "<g class=\"" << class_of(box.column) << "\">\n"
         << rectangle("data", box.x, box.y, box.width, box.height, box.height / 2)
         << text_at(box.centre(), box.middle() + 5, "title on-data", box.title, "middle")
         << "</g>\n";
  }

  void draw_module(const Figure::Box& box) {
    constexpr double kCorner = 8, kBar = 4;
    constexpr double kTitle = 21, kName = 37, kInside = 54, kNumbers = 72, kRail = 80;
    const StepTrace::Module& module = trace_.modules[static_cast<std::size_t>(box.module)];
    const double left = box.text_left(), right = box.text_right();
    const double flop = module.forward.flop + module.backward.flop;
    out_ << "<g id=\"" << box.name << "\" class=\"module " << class_of(box.column) << "\">\n"
         << rectangle("box", box.x, box.y, box.width, box.height, kCorner)
         << text_at(left, box.y + kTitle, "title", box.title)
         << text_at(left, box.y + kName, "name", box.name)
         << text_at(left, box.y + kInside, "soft", box.inside)
         << text_at(left, box.y + kNumbers, "", parameters_text(module.parameters))
         << text_at(right, box.y + kNumbers, "", flop > 0 ? unit_.text(flop) : "", "end");
    if (flop > 0) {
      const double length = (right - left) * flop / unit_.most;
      out_ << rectangle("rail", left, box.y + kRail, right - left, kBar, kBar / 2)
           << rectangle("bar", left, box.y + kRail, std::max(length, 1.0), kBar, kBar / 2);
    }
    out_ << "</g>\n";
  }

  static std::string parameters_text(std::int64_t count) {
    return (count == 0 ? "no" : short_count(count)) + " parameters";
  }

  const StepTrace& trace_;
  Figure figure_;
  FlopUnit unit_;
  std::ostringstream out_;
};

}  // namespace

std::string trace_svg(const StepTrace& trace) {
  const std::string extensions = extensions_text(trace.config);
  if (!extensions.empty()) {
    throw InputError("command line", "--trace-format",
                     "svg draws models without extensions, and this one has " + extensions +
                         "; text and json show it");
  }
  return Drawing(trace).text();
}

}  // namespace cdt

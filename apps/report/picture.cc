#include "apps/report/picture.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "apps/report/style.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr int kWidePixels = 720;
constexpr int kNarrowPixels = 340;

using AttributeList = std::vector<std::pair<std::string, std::string>>;

struct Tag {
  std::string name;  // "/g" for an end tag
  AttributeList attributes;
  bool closed = false;  // "<path .../>"

  const std::string* find(std::string_view wanted) const {
    for (const auto& [name, value] : attributes) {
      if (name == wanted) return &value;
    }
    return nullptr;
  }
};

/// Parses a tag; text is what is between < and >. gnuplot quotes with ' and " and puts spaces
/// around some =.
Tag parse_tag(std::string_view text) {
  Tag tag;
  if (text.ends_with('/')) {
    tag.closed = true;
    text.remove_suffix(1);
  }
  std::size_t at = std::min(text.find_first_of(" \t\r\n"), text.size());
  tag.name = text.substr(0, at);
  while (true) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n", at);
    if (begin == std::string_view::npos) return tag;
    const std::size_t equals = text.find('=', begin);
    const std::size_t open = text.find_first_of("'\"", equals);
    if (open == std::string_view::npos) throw Error("gnuplot: an SVG attribute without a value");
    const std::size_t close = text.find(text[open], open + 1);
    if (close == std::string_view::npos) throw Error("gnuplot: an SVG attribute without an end");
    std::string_view name = text.substr(begin, equals - begin);
    name = name.substr(0, name.find_first_of(" \t\r\n"));
    tag.attributes.emplace_back(name, text.substr(open + 1, close - open - 1));
    at = close + 1;
  }
}

/// Numbers in a text such as "rgb( 31, 111, 181)" or "translate(54.53,180.20) scale(2.25)".
std::vector<std::string> numbers_in(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; (at = text.find_first_of("0123456789-.", at)) != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_not_of("0123456789-.", at), text.size());
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

/// Colour as a variable: "rgb( 31, 111, 181)" -> "var(--blue)"; gnuplot's own black and white
/// become text and background.
std::string colour(const std::string& value) {
  if (value == "black" || value == "currentColor") return "var(--text)";
  if (value == "white") return "var(--paper)";
  if (value.rfind("rgb(", 0) != 0) return value;
  std::array<std::int64_t, 3> parts{};
  const std::vector<std::string> numbers = numbers_in(value);
  for (std::size_t i = 0; i < parts.size() && i < numbers.size(); ++i) {
    if (!parse_int64(numbers[i], &parts[i])) return value;
  }
  const std::string variable =
      variable_of(static_cast<unsigned>(parts[0]), static_cast<unsigned>(parts[1]),
                  static_cast<unsigned>(parts[2]));
  return variable.empty() ? value : variable;
}

/// Replaces gnuplot's symbol by a circle. Figures use only the filled circle of radius 1 (point
/// type 7); gnuplot 6 also draws a line of no length, such as an empty interval, as a dot.
Tag circle_from(const Tag& use) {
  const std::string* symbol = use.find("xlink:href");
  const std::string* transform = use.find("transform");
  const std::string *x = use.find("x"), *y = use.find("y");
  std::vector<std::string> place;  // x, y, radius
  if (symbol != nullptr && *symbol == "#gpPt6" && transform != nullptr) {
    place = numbers_in(*transform);
    CDT_CHECK(place.size() == 3, "translate(x,y) scale(r)");
  } else if (symbol != nullptr && *symbol == "#gpDot" && x != nullptr && y != nullptr) {
    place = {*x, *y, "0.5"};
  } else {
    throw Error("gnuplot: a symbol other than the filled circle in a figure");
  }
  Tag out{"circle", {{"cx", place[0]}, {"cy", place[1]}, {"r", place[2]}}, true};
  if (const std::string* fill = use.find("color")) out.attributes.emplace_back("fill", *fill);
  out.attributes.emplace_back("stroke", "none");
  if (const std::string* opacity = use.find("opacity")) {
    out.attributes.emplace_back("fill-opacity", *opacity);
  }
  return out;
}

bool is_dropped(const std::string& attribute) {
  for (const char* name : {"id", "color", "font-family", "xml:space", "stroke-linecap",
                           "stroke-linejoin", "xmlns", "xmlns:xlink"}) {
    if (attribute == name) return true;
  }
  return false;
}

std::string tag_text(const Tag& tag) {
  std::string out = "<" + tag.name;
  for (const auto& [name, value] : tag.attributes) {
    if (is_dropped(name)) continue;
    const bool is_colour = name == "fill" || name == "stroke";
    out += ' ' + (name == "xlink:href" ? "href" : name) + "=\"";
    out += (is_colour ? colour(value) : value) + '"';
  }
  return out + (tag.closed ? "/>" : ">");
}

/// Whether an element is dropped with all its content.
bool is_skipped(const std::string& name) {
  return name == "title" || name == "desc" || name == "defs";
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

class Cleaner {
 public:
  explicit Cleaner(std::string_view svg) : svg_(svg), at_(svg.find("<svg")) {
    if (at_ == std::string_view::npos) throw Error("gnuplot drew no SVG");
  }

  /// Content of the svg element; *view_box is set to its viewBox.
  std::string content(std::string* view_box) {
    const Tag root = next_tag();
    const std::string* box = root.find("viewBox");
    if (box == nullptr) throw Error("gnuplot: an SVG without a viewBox");
    *view_box = *box;
    while (true) {
      const std::string_view text = text_before_tag();
      if (!is_blank(text)) parts_.emplace_back(text);
      const Tag tag = next_tag();
      if (tag.name == "/svg") break;
      if (is_skipped(tag.name)) {
        skip_to_end_of(tag.name);
      } else if (tag.name == "/g" && !parts_.empty() && parts_.back().rfind("<g", 0) == 0) {
        parts_.pop_back();  // the element is empty
      } else {
        parts_.push_back(tag_text(tag.name == "use" ? circle_from(tag) : tag));
      }
    }
    std::string out;
    for (const std::string& part : parts_) out += part;
    return out;
  }

 private:
  std::string_view text_before_tag() {
    const std::size_t open = svg_.find('<', at_);
    if (open == std::string_view::npos) throw Error("gnuplot: the SVG is cut short");
    const std::string_view text = svg_.substr(at_, open - at_);
    at_ = open;
    return text;
  }
  Tag next_tag() {
    const std::size_t close = svg_.find('>', at_);
    if (close == std::string_view::npos) throw Error("gnuplot: the SVG is cut short");
    const std::string_view text = svg_.substr(at_ + 1, close - at_ - 1);
    at_ = close + 1;
    return parse_tag(text);
  }
  void skip_to_end_of(const std::string& name) {
    const std::string end = "</" + name + ">";
    const std::size_t found = svg_.find(end, at_);
    if (found == std::string_view::npos) throw Error("gnuplot: the SVG is cut short");
    at_ = found + end.size();
  }

  std::string_view svg_;
  std::size_t at_;
  std::vector<std::string> parts_;
};

}  // namespace

Html inline_svg(std::string_view svg, std::string_view label, std::string_view css_class) {
  std::string view_box;
  const std::string content = Cleaner(svg).content(&view_box);
  return element(
      "svg", {{"class", css_class}, {"viewBox", view_box}, {"role", "img"}, {"aria-label", label}},
      Html::markup(content));
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

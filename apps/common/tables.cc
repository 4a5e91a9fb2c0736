#include "apps/common/tables.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>

#include "engine/error.h"

namespace cdt {

std::string text(const char* format, ...) {
  std::va_list arguments;
  va_start(arguments, format);
  std::va_list again;
  va_copy(again, arguments);
  const int size = std::vsnprintf(nullptr, 0, format, arguments);
  va_end(arguments);
  std::string out(size < 0 ? 0 : static_cast<std::size_t>(size) + 1, '\0');
  if (size >= 0) std::vsnprintf(out.data(), out.size(), format, again);
  va_end(again);
  CDT_CHECK(size >= 0, "vsnprintf failed");
  out.pop_back();
  return out;
}

std::string number_cell(double value, int width, int digits) {
  constexpr double kLeastCut =
      1e6;  // smaller numbers overflow their column rather than switch to an exponent
  constexpr double kLargestPlain = 1e9;
  if (std::isnan(value)) return text("%*s", width, "-");
  if (std::fabs(value) < 0.5 * std::pow(10.0, -digits)) value = 0.0;  // no "-0.00"
  const std::string plain = text("%*.*f", width, digits, value);
  const double size = std::fabs(value);
  const bool fits = width == 0
                        ? size < kLargestPlain
                        : size < kLeastCut || plain.size() <= static_cast<std::size_t>(width);
  return fits ? plain : text("%*.1e", width, value);
}

std::string p_cell(double p, int width) {
  return std::isnan(p) ? text("%*s", width, "-") : text("%*.2g", width, p);
}

std::string p_cell(const ResampledP& p, int width) {
  if (std::isnan(p.p) || std::isnan(p.error)) return p_cell(p.p, width);
  const std::string value = text("%.2g", p.p);
  const std::string error = text("%.1g", p.error);
  // Width in columns: each of the two signs is one character of several bytes.
  const std::size_t columns = p.at_floor ? 2 + value.size() : value.size() + 3 + error.size();
  const std::size_t wanted = static_cast<std::size_t>(width);
  return std::string(wanted > columns ? wanted - columns : 0, ' ') +
         (p.at_floor ? "\u2264 " + value : value + " \u00b1 " + error);
}

std::string interval_cell(const Interval& interval, int width, int digits) {
  if (!is_defined(interval)) return text("%*s", width, "-");
  const int low = std::max(width - 4, 0) / 2;  // without the brackets, the comma and the space
  const int high = std::max(width - 4 - low, 0);
  return "[" + number_cell(interval.low, low, digits) + ", " +
         number_cell(interval.high, high, digits) + "]";
}

std::string wrapped(const std::string& head, const std::string& words) {
  constexpr std::size_t kColumns = 100;  // of a terminal
  std::string out;
  std::string line = head;
  for (std::size_t at = 0; at < words.size();) {
    const std::size_t end = std::min(words.find(' ', at), words.size());
    const std::string word = words.substr(at, end - at);
    if (line.size() > head.size() && line.size() + 1 + word.size() > kColumns) {
      out += line + "\n";
      line.assign(head.size(), ' ');
    }
    line += (line.size() > head.size() ? " " : "") + word;
    at = end + 1;
  }
  return out + line + "\n";
}

}  // namespace cdt

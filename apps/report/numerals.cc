#include "apps/report/numerals.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace cdt {
namespace {

constexpr const char* kMinus = "\xE2\x88\x92";        // U+2212
constexpr const char* kUndefined = "\xE2\x80\x93";    // en dash
constexpr const char* kNarrowSpace = "\xE2\x80\xAF";  // U+202F, no-break
constexpr const char* kTimesTen =
    "\xE2\x80\xAF\xC3\x97\xE2\x80\xAF"
    "10";
constexpr double kSmallestPlain = 0.001;  // of p
constexpr double kLargestPlain = 1e9;

std::string with_minus(const std::string& text) {
  return text.front() == '-' ? kMinus + text.substr(1) : text;
}

/// A positive number in Unicode superscripts.
std::string superscript(int value) {
  constexpr std::array<const char*, 10> kDigits = {"\u2070", "\u00b9", "\u00b2", "\u00b3",
                                                   "\u2074", "\u2075", "\u2076", "\u2077",
                                                   "\u2078", "\u2079"};
  std::string out;
  for (const char digit : std::to_string(value)) {
    out += kDigits[static_cast<std::size_t>(digit - '0')];
  }
  return out;
}

/// Prints a number, without the sign of a rounded zero.
std::string printed(double value, int digits) {
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
  std::string text = buffer.data();
  if (text.find_first_of("123456789") == std::string::npos && text.front() == '-') text.erase(0, 1);
  return text;
}

}  // namespace

std::string fixed(double value, int digits) {
  if (std::isnan(value)) return kUndefined;
  const double size = std::fabs(value);
  if (std::isinf(value)) return (value < 0 ? kMinus : "") + std::string("\u221e");
  if (size < kLargestPlain) return with_minus(printed(value, digits));
  const int exponent = static_cast<int>(std::floor(std::log10(size)));
  return with_minus(printed(value / std::pow(10.0, exponent), 2)) + kTimesTen +
         superscript(exponent);
}

std::string with_true_minus(std::string sentence) {
  for (std::size_t at = sentence.find('-'); at != std::string::npos;
       at = sentence.find('-', at + 1)) {
    const bool starts = at == 0 || sentence[at - 1] == ' ' || sentence[at - 1] == '[';
    const bool is_number =
        at + 1 < sentence.size() && sentence[at + 1] >= '0' && sentence[at + 1] <= '9';
    if (starts && is_number) sentence.replace(at, 1, "\u2212");
  }
  return sentence;
}

std::string percent(double share, int digits) {
  if (!std::isfinite(share)) return kUndefined;
  return fixed(100.0 * share, digits) + kNarrowSpace + "%";
}

std::string interval_text(const Interval& interval, int digits) {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return kUndefined;
  return "[" + fixed(interval.low, digits) + ", " + fixed(interval.high, digits) + "]";
}

std::string with_interval(const Estimate& estimate, int digits, double scale) {
  const Interval interval{estimate.interval.low * scale, estimate.interval.high * scale};
  const bool known = std::isfinite(interval.low) && std::isfinite(interval.high);
  const bool wide = known && fixed(interval.low, digits) != fixed(interval.high, digits);
  return fixed(estimate.value * scale, digits) +
         (wide ? " " + interval_text(interval, digits) : "");
}

std::string count_text(std::int64_t count) {
  std::string digits = std::to_string(count < 0 ? -count : count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, kNarrowSpace);
  return (count < 0 ? kMinus : "") + digits;
}

Html p_value(double p) {
  if (!std::isfinite(p)) return kUndefined;
  if (p == 0.0) return "< 10" + element("sup", std::string(kMinus) + "300");
  if (p >= kSmallestPlain) return fixed(p, 3);
  const int exponent = static_cast<int>(std::floor(std::log10(p)));
  const double factor = p / std::pow(10.0, exponent);
  return fixed(factor, 1) + std::string(kTimesTen) +
         element("sup", with_minus(std::to_string(exponent)));
}

Html p_value(const ResampledP& p) {
  if (!std::isfinite(p.p) || !std::isfinite(p.error)) return p_value(p.p);
  if (p.at_floor) return "\u2264\u202f" + p_value(p.p);
  // The first digit of the error decides how many digits p gets.
  const int digits =
      p.error > 0.0 ? std::max(3, -static_cast<int>(std::floor(std::log10(p.error)))) : 3;
  if (p.p < kSmallestPlain) return p_value(p.p) + "\u202f\u00b1\u202f" + p_value(p.error);
  return fixed(p.p, digits) + "\u202f\u00b1\u202f" + fixed(p.error, digits);
}

Html weaker_p(const NullTest& first, const NullTest& second) {
  return p_value(weaker_test(first, second).resampled());
}

std::string counted(std::int64_t count, const std::string& noun) {
  return count_text(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace cdt

#include "io/format/text.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <clocale>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <set>
#include <system_error>

#include "engine/error.h"

namespace cdt {
namespace {

/// Correctly rounded value, with a decimal point whatever the locale.
double rounded(const char* text, double /*type*/, locale_t c) { return strtod_l(text, nullptr, c); }
float rounded(const char* text, float /*type*/, locale_t c) { return strtof_l(text, nullptr, c); }

/// Parses a number; false if `text` is not one. A number that is too large becomes infinite.
template <typename T>
bool parse_real(std::string_view text, T* value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  if (stop != end || text.empty() || error == std::errc::invalid_argument) return false;
  if (error ==
      std::errc::result_out_of_range) {  // from_chars does not tell overflow from underflow
    static const locale_t c = newlocale(LC_ALL_MASK, "C", nullptr);
    *value = rounded(std::string(text).c_str(), T{}, c);
  }
  return true;
}

bool says_infinity(std::string_view text) {
  return text.find_first_of("iI") != std::string_view::npos;
}

template <typename T>
bool parse(std::string_view text, T* value) {
  T number{};
  if (!parse_real(text, &number) || (std::isinf(number) && !says_infinity(text))) return false;
  *value = number;
  return true;
}

template <typename T>
std::string_view finite(std::string_view text, T* value) {
  T number{};
  if (!parse_real(text, &number)) return "not a number";
  if (std::isinf(number) && !says_infinity(text)) {
    return sizeof(T) == sizeof(float) ? "too large for float32" : "too large";
  }
  if (!std::isfinite(number)) return "not finite";
  *value = number;
  return "";
}

template <typename T>
std::string format(T value) {
  if (std::isnan(value)) return "nan";
  std::array<char, 64> text{};
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} ? std::string(text.data(), end) : std::string("nan");
}

constexpr std::string_view kDigits = "0123456789abcdef";

std::string hex_escape(unsigned char byte) {
  return std::string("\\x") + kDigits[byte >> 4U] + kDigits[byte & 15U];
}

/// Value of a hexadecimal digit, or npos.
std::size_t digit(std::string_view text, std::size_t at) {
  if (at >= text.size()) return std::string_view::npos;
  const char c = text[at];
  return kDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
}

std::atomic<bool> silent = false;

void say(const char* kind, const std::string& message) {
  constexpr std::size_t kLimit = 2000;
  if (silent) return;
  static std::mutex mutex;
  static std::set<std::string> said;
  const std::lock_guard<std::mutex> lock(mutex);
  if (!said.insert(kind + message).second) return;
  const std::string line = std::string(program_invocation_short_name) + ": " + kind + ": " +
                           printable(message, kLimit) + "\n";
  std::fputs(line.c_str(), stderr);
}

}  // namespace

std::string format_number(float value) { return format(value); }
std::string format_number(double value) { return format(value); }
double as_written(float value) {
  double out = value;
  parse_double(format(value), &out);
  return out;
}

std::string format_with_commas(std::int64_t value) {
  constexpr std::size_t kGroup = 3;  // digits between commas
  std::string out = std::to_string(value);
  const std::size_t first = value < 0 ? 1 : 0;
  for (std::size_t at = out.size(); at > first + kGroup; out.insert(at, 1, ',')) at -= kGroup;
  return out;
}

std::string shape_text(std::span<const std::int64_t> shape) {
  std::string out = "(";
  for (const std::int64_t size : shape) {
    out += (out.size() > 1 ? ", " : "") + (size == kAnySize ? "any" : std::to_string(size));
  }
  return out + ")";
}

std::string json_number(double value) { return std::isfinite(value) ? format(value) : "null"; }

std::string number_of(std::int64_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string joined(std::span<const std::string> words, std::string_view separator) {
  std::string out;
  for (const std::string& word : words) out.append(out.empty() ? "" : separator).append(word);
  return out;
}

std::string named(const std::vector<std::string>& names, const std::string& noun) {
  constexpr std::size_t kNamed = 5;
  const std::span<const std::string> first(names.data(), std::min(kNamed, names.size()));
  return number_of(static_cast<std::int64_t>(names.size()), noun) + " (" + joined(first, ", ") +
         (names.size() > kNamed ? ", ...)" : ")");
}

bool parse_double(std::string_view text, double* value) { return parse(text, value); }
bool parse_float(std::string_view text, float* value) { return parse(text, value); }
bool parse_int64(std::string_view text, std::int64_t* value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+') text.remove_prefix(1);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  return error == std::errc{} && stop == end && !text.empty();
}

std::string_view parse_finite(std::string_view text, double* value) { return finite(text, value); }
std::string_view parse_finite(std::string_view text, float* value) { return finite(text, value); }

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(separator, begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned {
    return at + i < text.size() ? static_cast<unsigned char>(text[at + i]) : 0U;
  };
  const auto in = [&](std::size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return in(1, 0x80, 0xBF) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool second = in(1, first == 0xE0 ? 0xA0 : 0x80, first == 0xED ? 0x9F : 0xBF);
    return second && in(2, 0x80, 0xBF) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool second = in(1, first == 0xF0 ? 0x90 : 0x80, first == 0xF4 ? 0x8F : 0xBF);
    return second && in(2, 0x80, 0xBF) && in(3, 0x80, 0xBF) ? 4 : 0;
  }
  return 0;
}

std::string escape_bytes(std::string_view bytes) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    const auto byte = static_cast<unsigned char>(bytes[at]);
    const std::size_t length = utf8_length(bytes, at);
    if (length == 0 || byte < 0x20 || byte == 0x7F) {
      out += hex_escape(byte);
    } else if (byte == '\\') {
      out += "\\\\";
    } else {
      out += bytes.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return out;
}

std::string unescape_bytes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const std::string_view rest = text.substr(at);
    const std::size_t high = digit(text, at + 2);
    const std::size_t low = digit(text, at + 3);
    if (rest.starts_with("\\\\")) {
      out += '\\';
      at += 1;
    } else if (rest.starts_with("\\x") && high < 16 && low < 16) {
      out += static_cast<char>(high * 16 + low);
      at += 3;
    } else {
      out += text[at];
    }
  }
  return out;
}

void warn(const std::string& message) { say("warning", message); }
void note(const std::string& message) { say("note", message); }
void silence_notes() { silent = true; }

}  // namespace cdt

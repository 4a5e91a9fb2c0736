// Text for people and files: numbers in shortest form that reads back, whatever the locale; shapes,
// counts and lists; paths, which are bytes of any kind, as one line of UTF-8; warnings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cdt {

/// Shortest text that reads back as the same value; "nan", "inf", "-inf".
std::string format_number(float value);
std::string format_number(double value);
/// The double that is written as shortly as the float: 0.1 for 0.1F.
double as_written(float value);
/// As format_number(), but "null" where the value is not finite.
std::string json_number(double value);
inline const char* json_bool(bool value) { return value ? "true" : "false"; }
/// "1,234,567"
std::string format_with_commas(std::int64_t value);
/// "1 pair", "8 pairs"
std::string number_of(std::int64_t count, const std::string& noun);
/// The words with the separator between them.
std::string joined(std::span<const std::string> words, std::string_view separator);
/// "2 pairs (A:X, B:Y)" for the noun "pair": their number and the first five.
std::string named(const std::vector<std::string>& names, const std::string& noun);
/// "(5434, 896)"; kAnySize, of a shape that is expected, is "any".
std::string shape_text(std::span<const std::int64_t> shape);
inline constexpr std::int64_t kAnySize = -1;

/// The whole text is one number: decimal or exponent form, "nan" and "inf" too; no hex, no spaces,
/// one leading '+' allowed. What is too small for the type rounds to its nearest number, zero
/// included. False when it is no number, or too large for the type.
bool parse_double(std::string_view text, double* value);
bool parse_float(std::string_view text, float* value);
bool parse_int64(std::string_view text, std::int64_t* value);

inline constexpr const char* kFiniteNumber = "a finite decimal number";
/// As parse_double(), for a finite number: "" if it is one, else what is wrong with it, to be
/// followed by "(expected kFiniteNumber, got ...)".
std::string_view parse_finite(std::string_view text, double* value);
std::string_view parse_finite(std::string_view text, float* value);

/// The parts of `text` between separators; one empty part if it is empty.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Length of the UTF-8 sequence at `at`, 0 if there is none (RFC 3629: no overlong forms, no
/// surrogates, at most U+10FFFF).
std::size_t utf8_length(std::string_view text, std::size_t at);
/// One line of UTF-8 from which unescape_bytes() makes the same bytes again: "\\" for a backslash,
/// "\xHH" for a control character and for each byte that is no part of UTF-8.
std::string escape_bytes(std::string_view bytes);
/// The bytes. A backslash that begins neither escape is one.
std::string unescape_bytes(std::string_view text);
inline std::string path_text(const std::filesystem::path& path) {
  return escape_bytes(path.native());
}
inline std::filesystem::path path_of_text(std::string_view text) { return unescape_bytes(text); }

/// "PROGRAM: warning: MESSAGE" as one line on stderr, each message once: what the user should know
/// although the work goes on.
void warn(const std::string& message);
/// "PROGRAM: note: MESSAGE" in the same way: what a program did or assumed unasked.
void note(const std::string& message);

}  // namespace cdt

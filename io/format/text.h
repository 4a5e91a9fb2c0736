// Text for people and files: numbers in the shortest form that reads back, whatever the locale;
// shapes, counts and lists; paths, which may be any bytes, as one line of UTF-8; warnings.
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
/// The double with the same shortest decimal form as the float: 0.1 for 0.1F.
double as_written(float value);
/// Like format_number(), but "null" where the value is not finite.
std::string json_number(double value);
inline const char* json_bool(bool value) { return value ? "true" : "false"; }
/// "1,234,567"
std::string format_with_commas(std::int64_t value);
/// "1 pair", "8 pairs"
std::string number_of(std::int64_t count, const std::string& noun);
/// The words with the separator between them.
std::string joined(std::span<const std::string> words, std::string_view separator);
/// Number and first five of the names: "2 pairs (A:X, B:Y)" for the noun "pair".
std::string named(const std::vector<std::string>& names, const std::string& noun);
/// "(5434, 896)"; kAnySize, in an expected shape, is "any".
std::string shape_text(std::span<const std::int64_t> shape);
inline constexpr std::int64_t kAnySize = -1;

/// Parses a text that is one number: decimal or exponent form, also "nan" and "inf", no
/// hexadecimal, no spaces, at most one leading '+'. A number too small for the type is rounded,
/// possibly to zero. Returns false if it is no number or is too large for the type.
bool parse_double(std::string_view text, double* value);
bool parse_float(std::string_view text, float* value);
bool parse_int64(std::string_view text, std::int64_t* value);

inline constexpr const char* kFiniteNumber = "a finite decimal number";
/// Parses a finite number like parse_double(). Returns "" or what is wrong with the text, which the
/// caller completes with "(expected kFiniteNumber, got ...)".
std::string_view parse_finite(std::string_view text, double* value);
std::string_view parse_finite(std::string_view text, float* value);

/// Parts of `text` between separators; an empty text has one empty part.
std::vector<std::string_view> split(std::string_view text, char separator);

/// Length of the UTF-8 sequence at `at`; 0 if there is no valid one (RFC 3629: no overlong forms,
/// no surrogates, at most U+10FFFF).
std::size_t utf8_length(std::string_view text, std::size_t at);
/// Escapes bytes to one line of UTF-8 that unescape_bytes() reverses: "\\" for a backslash, "\xHH"
/// for a control character and for each byte that is not part of valid UTF-8.
std::string escape_bytes(std::string_view bytes);
/// Reverses escape_bytes(). A backslash that begins neither escape stands for itself.
std::string unescape_bytes(std::string_view text);
inline std::string path_text(const std::filesystem::path& path) {
  return escape_bytes(path.native());
}
inline std::filesystem::path path_of_text(std::string_view text) { return unescape_bytes(text); }

/// Prints "PROGRAM: warning: MESSAGE" as one line on stderr, each message once: something the user
/// should know although the work goes on.
void warn(const std::string& message);
/// Prints "PROGRAM: note: MESSAGE" in the same way: something a program did or assumed without
/// being told to.
void note(const std::string& message);
/// Neither prints anything from here on: in a process beside others that print the same.
void silence_notes();

}  // namespace cdt

// Errors of the whole product. A user's mistake is an InputError (exit code 2), anything else an
// Error (exit code 1); both end a program with one line on stderr.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace cdt {

/// A failure that the user did not cause. Exit code 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A computed value is NaN or infinite.
class NotFinite : public Error {
 public:
  using Error::Error;
};

/// A file, option or environment the program cannot work with. Exit code 2. The message reads
/// "FILE: FIELD: what is wrong (expected X, got Y)"; control characters in it are escaped.
class InputError : public Error {
 public:
  InputError(std::string_view file, std::string_view field, std::string_view what);
  /// With a whole message, such as that of an InputError of another process.
  explicit InputError(const std::string& message) : Error(message) {}
};

/// Returns "what (expected X, got Y)", the tail of an InputError's message.
std::string expected_got(std::string_view what, std::string_view expected, std::string_view got);

/// Returns a printable one-line form of arbitrary bytes: control characters as \n, \t or \xNN, at
/// most `limit` characters, then "...".
std::string printable(std::string_view text, std::size_t limit = 200);

[[noreturn]] void check_failed(const char* expression, const char* file, int line,
                               const std::string& what);

}  // namespace cdt

/// Checks an invariant of the engine, in release builds too. Throws cdt::Error naming expression,
/// file and line.
#define CDT_CHECK(condition, what)                                               \
  do {                                                                           \
    if (!(condition)) ::cdt::check_failed(#condition, __FILE__, __LINE__, what); \
  } while (false)

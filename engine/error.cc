#include "engine/error.h"

#include <array>
#include <cstdio>

namespace cdt {

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (const char c : text) {
    if (out.size() >= limit) return out + "...";
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      std::array<char, 8> hex{};
      std::snprintf(hex.data(), hex.size(), "\\x%02x", byte);
      out += hex.data();
    } else {
      out += c;
    }
  }
  return out;
}

namespace {
constexpr std::size_t kMessageLimit = 2000;
}  // namespace

InputError::InputError(std::string_view file, std::string_view field, std::string_view what)
    : Error(printable(file, kMessageLimit) + ": " + printable(field, kMessageLimit) + ": " +
            printable(what, kMessageLimit)) {}

std::string expected_got(std::string_view what, std::string_view expected, std::string_view got) {
  std::string out(what);
  out += " (expected ";
  out += expected;
  out += ", got ";
  out += printable(got);
  out += ")";
  return out;
}

void check_failed(const char* expression, const char* file, int line, const std::string& what) {
  throw Error(std::string(file) + ":" + std::to_string(line) + ": " + what + " [" + expression +
              "]");
}

}  // namespace cdt

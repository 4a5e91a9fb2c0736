#include "io/format/path_text.h"

namespace cdt {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

std::string hex_escape(unsigned char byte) {
  return std::string("\\x") + kDigits[byte >> 4U] + kDigits[byte & 15U];
}

/// 0 to 15, or npos.
std::size_t digit(std::string_view text, std::size_t at) {
  if (at >= text.size()) return std::string_view::npos;
  const char c = text[at];
  return kDigits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
}

}  // namespace

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

}  // namespace cdt

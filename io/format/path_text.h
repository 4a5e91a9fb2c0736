// Paths as text: file names are bytes of any kind, JSON, HTML and a line of a terminal are not.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace cdt {

/// Length of the UTF-8 sequence at `at`, 0 if there is none (RFC 3629: no overlong forms, no
/// surrogates, at most U+10FFFF).
std::size_t utf8_length(std::string_view text, std::size_t at);

/// One line of UTF-8 from which unescape_bytes() makes the same bytes again: "\\" for a backslash,
/// "\xHH" for a control character and for each byte that is no part of UTF-8.
std::string escape_bytes(std::string_view bytes);
/// The bytes. A backslash that begins neither escape stands for itself.
std::string unescape_bytes(std::string_view text);

inline std::string path_text(const std::filesystem::path& path) {
  return escape_bytes(path.native());
}
inline std::filesystem::path path_of_text(std::string_view text) { return unescape_bytes(text); }

}  // namespace cdt

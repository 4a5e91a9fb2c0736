#include "apps/common/command_record.h"

#include <nlohmann/json.hpp>
#include <string_view>

#include "apps/common/json_text.h"
#include "apps/common/version.h"
#include "io/format/text.h"

namespace cdt {

std::string shell_word(std::string_view word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string_view::npos) {
    return std::string(word);
  }
  // Control characters, or bytes that are no UTF-8: a shell reads their escapes within $'...'.
  const std::string text = escape_bytes(word);
  const bool escaped = text.find("\\x") != std::string::npos;
  const char* const quote = escaped ? "\\'" : "'\\''";
  std::string out = escaped ? "$'" : "'";
  for (const char c : escaped ? text : std::string(word)) {
    out += c == '\'' ? std::string(quote) : std::string(1, c);
  }
  return out + "'";
}

std::string command_line(const std::string& program, int argc, const char* const* argv) {
  std::string line = program;
  for (int i = 1; i < argc; ++i) line += " " + shell_word(argv[i]);
  return line;
}

std::string command_record(const std::string& program, int argc, const char* const* argv,
                           const Cli& cli) {
  const nlohmann::ordered_json options = cli.values();
  nlohmann::ordered_json out = {{"program", program},
                                {"command_line", command_line(program, argc, argv)},
                                {"version", version()}};
  for (const char* name : {"data", "model", "split"}) {
    if (options.contains(name)) out[name] = options[name];
  }
  out["options"] = options;
  return json_text(out);
}

}  // namespace cdt

// What --help prints, at 80 columns. third_party/packages makes the man pages and the completion of
// shells from it: two blanks, the option, its value, then the text from kTextColumn on.
#include <algorithm>
#include <string>
#include <string_view>

#include "apps/common/cli.h"
#include "apps/common/cli_words.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kTextColumn = 26;
constexpr std::size_t kUsageColumn = 8;

/// Adds `text` word by word, every line after the first from `column` on. The last line of `out`
/// may have begun.
void wrap(std::string* out, std::string_view text, std::size_t column) {
  std::size_t at = out->size() - (out->rfind('\n') + 1);  // npos + 1 is 0
  bool first = true;
  for (const std::string_view word : split(text, ' ')) {
    if (!first && at + 1 + word.size() > kWidth) {
      *out += "\n" + std::string(column, ' ');
      at = column;
    } else if (!first) {
      *out += ' ';
      ++at;
    }
    *out += word;
    at += word.size();
    first = false;
  }
  *out += '\n';
}

/// The summary of a program: paragraphs are wrapped; a line that begins with a blank is aligned by
/// hand and stays as it is.
void summarise(std::string* out, std::string_view summary) {
  for (const std::string_view line : split(summary, '\n')) {
    if (line.starts_with(' ')) {
      out->append(line).append("\n");
    } else {
      wrap(out, line, 0);
    }
  }
}

/// One option: its text beside it, or below where it is too long for that.
void describe(std::string* out, const std::string& flag, const std::string& text) {
  *out += "  " + flag;
  const std::size_t used = flag.size() + 2;
  if (used + 2 > kTextColumn) *out += "\n";
  out->append(used + 2 > kTextColumn ? kTextColumn : kTextColumn - used, ' ');
  wrap(out, text, kTextColumn);
}

}  // namespace

std::string Cli::help() const {
  const auto with_value = [](const Option& option) {
    if (option.positional || option.is_flag()) return option.flag();
    return option.flag() + " " + option.value_name();
  };
  std::string usage = program_ + " [OPTIONS]";
  for (const auto& option : options_) {
    if (!option->required) continue;
    usage += " " + with_value(*option) + (option->positional && option->is_list() ? "..." : "");
  }
  std::string out = "Usage: ";
  wrap(&out, usage, kUsageColumn);
  out += "\n";
  summarise(&out, summary_);
  const auto group = [&](const char* title, bool positional) {
    out += "\n" + std::string(title) + ":\n";
    for (const auto& option : options_) {
      if (option->positional != positional) continue;
      std::string text = option->help;
      if (!option->known.empty()) text += "; any of all, " + joined(option->known, ", ");
      const std::string value = option->is_flag() ? "" : option->default_text();
      if (!value.empty()) text += " [" + value + "]";
      if (option->required && !positional) text += " (required)";
      describe(&out, with_value(*option), text);
    }
  };
  const bool words = std::any_of(options_.begin(), options_.end(),
                                 [](const auto& option) { return option->positional; });
  if (words) group("Arguments", true);
  group("Options", false);
  describe(&out, "-h, --help", "print this and exit");
  describe(&out, "--version", "print version and devices and exit");
  return out;
}

}  // namespace cdt

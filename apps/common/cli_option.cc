#include "apps/common/cli_option.h"

#include <algorithm>
#include <cmath>

#include "apps/common/spelling.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

std::string joined(const std::vector<std::string>& words, const char* separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

bool is_digits(std::string_view word) {
  word.remove_prefix(word.starts_with('-') || word.starts_with('+') ? 1 : 0);
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

std::string range_text(double min, double max) {
  if (std::isinf(max)) return "at least " + format_number(min);
  if (std::isinf(min)) return "at most " + format_number(max);
  return format_number(min) + " to " + format_number(max);
}

}  // namespace

std::string Cli::Option::value_name() const {
  if (!choices.empty()) return joined(choices, "|");
  if (std::holds_alternative<std::filesystem::path*>(target)) return "PATH";
  if (std::holds_alternative<std::int64_t*>(target)) return "N";
  if (std::holds_alternative<double*>(target)) return "NUMBER";
  return "TEXT";
}

std::string Cli::Option::default_text() const {
  if (const auto* number = std::get_if<std::int64_t*>(&target)) return std::to_string(**number);
  if (const auto* number = std::get_if<double*>(&target)) return format_number(**number);
  if (const auto* file = std::get_if<std::filesystem::path*>(&target)) return (*file)->string();
  if (const auto* word = std::get_if<std::string*>(&target)) return **word;
  return "";
}

void Cli::Option::assign(const std::string& word, const std::string& file,
                         const std::string& field) {
  const auto refuse = [&](const char* what, const std::string& expected) {
    throw InputError(file, field, expected_got(what, expected, word));
  };
  if (word.empty()) refuse("the value is empty", value_name());
  if (!choices.empty() && std::find(choices.begin(), choices.end(), word) == choices.end()) {
    refuse("no such choice", joined(choices, "|"));
  }
  double number = 0.0;
  if (auto* integer = std::get_if<std::int64_t*>(&target)) {
    if (!parse_int64(word, *integer)) {
      refuse(is_digits(word) ? "too large" : "not a number", "a whole number");
    }
    number = static_cast<double>(**integer);
  } else if (auto* real = std::get_if<double*>(&target)) {
    const std::string_view fault = parse_finite(word, *real);
    if (!fault.empty()) refuse(std::string(fault).c_str(), kFiniteNumber);
    number = **real;
  } else if (auto* text = std::get_if<std::string*>(&target)) {
    **text = word;
  } else if (auto* path = std::get_if<std::filesystem::path*>(&target)) {
    **path = word;
  } else if (auto* list = std::get_if<std::vector<std::string>*>(&target)) {
    if (!set) (*list)->clear();
    (*list)->push_back(word);
  } else {
    *std::get<bool*>(target) = true;
  }
  if (is_number() && (number < min || number > max)) refuse("out of range", range_text(min, max));
  set = true;
}

void Cli::Option::assign_json(const nlohmann::json& value, const std::string& file) {
  const auto refuse = [&](const std::string& expected, const nlohmann::json& got) {
    throw InputError(file, name, expected_got("wrong type", expected, got.type_name()));
  };
  if (is_flag()) {
    if (!value.is_boolean()) refuse("true or false", value);
    *std::get<bool*>(target) = value.get<bool>();
    set = true;
  } else if (is_number()) {
    if (!value.is_number()) refuse("a number", value);
    assign(value.dump(), file, name);
  } else if (is_list()) {
    if (!value.is_array()) refuse("an array of strings", value);
    for (const nlohmann::json& item : value) {
      if (!item.is_string()) refuse("an array of strings", item);
      assign(unescape_bytes(item.get<std::string>()), file, name);
    }
  } else {
    if (!value.is_string()) refuse("a string", value);
    assign(unescape_bytes(value.get<std::string>()), file, name);
  }
}

}  // namespace cdt

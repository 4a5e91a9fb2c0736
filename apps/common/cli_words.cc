#include "apps/common/cli_words.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <system_error>

#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr std::string_view kTorchPrefix = "torch:";

bool is_digits(std::string_view word) {
  word.remove_prefix(word.starts_with('-') || word.starts_with('+') ? 1 : 0);
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}

/// Optimal string alignment distance; keeps three rows of the table.
std::size_t edits(std::string_view a, std::string_view b) {
  std::vector<std::size_t> above_last(b.size() + 1);
  std::vector<std::size_t> above(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(above.begin(), above.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], above_last[j - 2] + 1);
    }
    above_last.swap(above);
    above.swap(row);
  }
  return above[b.size()];
}

}  // namespace

std::string range_text(double min, double max, bool whole) {
  const auto bound = [whole](double value) {
    return whole ? std::to_string(static_cast<std::int64_t>(value)) : format_number(value);
  };
  if (std::isinf(max)) return "at least " + bound(min);
  if (std::isinf(min)) return "at most " + bound(max);
  return bound(min) + " to " + bound(max);
}

std::string Cli::Option::value_name() const {
  if (!shown.empty()) return shown;
  if (!known.empty()) return "NAME,...";
  if (!choices.empty()) return joined(choices, "|");
  if (std::holds_alternative<std::filesystem::path*>(target)) return "PATH";
  if (std::holds_alternative<std::int64_t*>(target)) return "N";
  if (std::holds_alternative<double*>(target)) return "NUMBER";
  return "TEXT";
}

std::string Cli::Option::default_text() const {
  const auto* count = std::get_if<std::int64_t*>(&target);
  // A value that the option itself refuses only says that it was not given.
  if (count != nullptr && static_cast<double>(**count) < min) return "";
  if (const auto* number = std::get_if<std::int64_t*>(&target)) return std::to_string(**number);
  if (const auto* number = std::get_if<double*>(&target)) {
    return std::isnan(**number) ? "" : format_number(**number);  // NaN: it was not given
  }
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
  if (!choices.empty() && !is_choice(word, choices)) {
    const bool seed = word.starts_with(kTorchPrefix) && is_choice("torch:0", choices);
    refuse(seed ? "no seed" : "no such choice",
           seed ? "torch: and a whole number from -2^63 to 2^64 - 1" : joined(choices, "|"));
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
  if (is_number() && (number < min || number > max)) {
    const bool whole = std::holds_alternative<std::int64_t*>(target);
    refuse("out of range", range_text(min, max, whole));
  }
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

std::optional<std::uint64_t> torch_seed(std::string_view word) {
  if (!word.starts_with(kTorchPrefix)) return std::nullopt;
  word.remove_prefix(kTorchPrefix.size());
  const char* end = word.data() + word.size();
  const auto parsed = [&](auto* value) {
    const auto [stopped, error] = std::from_chars(word.data(), end, *value);
    return error == std::errc() && stopped == end;
  };
  std::int64_t negative = 0;
  std::uint64_t seed = 0;
  if (word.starts_with('-') && parsed(&negative)) return static_cast<std::uint64_t>(negative);
  if (parsed(&seed)) return seed;
  return std::nullopt;
}

bool is_choice(std::string_view word, const std::vector<std::string>& choices) {
  return std::any_of(choices.begin(), choices.end(), [&](const std::string& choice) {
    return choice == kTorchSeed ? torch_seed(word).has_value() : choice == word;
  });
}

std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates) {
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string nearest;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edits(word, candidate);
    if (distance >= best || distance >= candidate.size()) continue;
    best = distance;
    nearest = candidate;
  }
  return nearest;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       std::string_view prefix) {
  const std::string name = nearest_name(word, candidates);
  return name.empty() ? "" : " (did you mean " + std::string(prefix) + name + "?)";
}

std::vector<std::string> names_of_list(const std::string& option, const std::string& list,
                                       const std::vector<std::string>& known) {
  std::set<std::string> wanted;
  for (const std::string_view name : split(list, ',')) wanted.emplace(name);
  if (list.empty()) wanted.clear();
  if (wanted.erase("all") != 0) wanted.insert(known.begin(), known.end());
  std::vector<std::string> out;
  for (const std::string& name : known) {
    if (wanted.erase(name) != 0) out.push_back(name);
  }
  if (wanted.empty()) return out;
  throw InputError("command line", "--" + option,
                   expected_got("no such name" + suggestion(*wanted.begin(), known),
                                "all|" + joined(known, "|"), *wanted.begin()));
}

}  // namespace cdt

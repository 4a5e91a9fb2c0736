// The words of a command line: what an option makes of its value, the name that a misspelt one
// meant, lists of names.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/common/cli.h"

namespace cdt {

struct Cli::Option {
  std::string name;
  Target target;
  std::string help;
  bool required = false;
  bool positional = false;
  bool set = false;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;

  /// As the command line has it: "--name", or "NAME" without dashes.
  std::string flag() const { return positional ? name : "--" + name; }
  bool is_flag() const { return std::holds_alternative<bool*>(target); }
  bool is_list() const { return std::holds_alternative<std::vector<std::string>*>(target); }
  bool is_number() const {
    return std::holds_alternative<std::int64_t*>(target) || std::holds_alternative<double*>(target);
  }

  /// "N", "FILE", "tiny|demo": how --help names the value.
  std::string value_name() const;
  /// The target's value as text, "" if there is none to show.
  std::string default_text() const;

  /// Puts one word into the target (appends to a list). InputError(file, field, ..) if the word is
  /// not of the type, not among the choices or out of range.
  void assign(const std::string& word, const std::string& file, const std::string& field);
  /// Likewise a JSON value, which must have the type of the option; strings as
  /// escape_bytes() writes them.
  void assign_json(const nlohmann::json& value, const std::string& file);
};

/// A choice that takes a seed in the place of SEED.
inline constexpr const char* kTorchSeed = "torch:SEED";
/// The seed of a word "torch:N", N as torch.manual_seed() takes it: -2^63 to 2^64 - 1, negative
/// ones from 2^64 down. Nothing for any other word.
std::optional<std::uint64_t> torch_seed(std::string_view word);
/// Whether the word is one of the choices, a "torch:N" where one is kTorchSeed.
bool is_choice(std::string_view word, const std::vector<std::string>& choices);

/// The candidate with the fewest edits (insert, delete, replace, swap of neighbours) from `word`,
/// or "" if none is near enough to be meant: one edit, or a third of the word.
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

/// " (did you mean PREFIXname?)" with the nearest candidate, or "".
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       std::string_view prefix = "");

/// The known names in `list` ("a,b,c"), in the order of `known`; "all" is all of them, an empty
/// list none. InputError naming the option for a name that is not known.
std::vector<std::string> names_of_list(const std::string& option, const std::string& list,
                                       const std::vector<std::string>& known);

}  // namespace cdt

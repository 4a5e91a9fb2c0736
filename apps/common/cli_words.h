// Words of a command line: conversion to the values of options, suggestions for misspelt names,
// lists of names.
#pragma once

#include <cstdint>
#include <limits>
#include <nlohmann/json_fwd.hpp>
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
  std::vector<std::string> known;  // of a list of names: what may be in it
  std::string shown;               // the name of the value in --help, where the type gives none

  /// The option as written on the command line: "--name", or "NAME" without dashes.
  std::string flag() const { return positional ? name : "--" + name; }
  bool is_flag() const { return std::holds_alternative<bool*>(target); }
  bool is_list() const { return std::holds_alternative<std::vector<std::string>*>(target); }
  bool is_number() const {
    return std::holds_alternative<std::int64_t*>(target) || std::holds_alternative<double*>(target);
  }

  /// Name of the value in --help: "N", "FILE", "tiny|demo".
  std::string value_name() const;
  /// The target's value as text; "" if there is none to show.
  std::string default_text() const;

  /// Stores one word in the target (appends it to a list). Throws InputError(file, field, ...) if
  /// the word is not of the type, not one of the choices, or out of range.
  void assign(const std::string& word, const std::string& file, const std::string& field);
  /// Stores a JSON value, which must have the type of the option; strings are as escape_bytes()
  /// writes them.
  void assign_json(const nlohmann::json& value, const std::string& file);
};

/// "1 to 1000000", "at least 0": inclusive bounds; those of whole numbers without an exponent,
/// since an option of whole numbers accepts none. One of the two may be infinite.
std::string range_text(double min, double max, bool whole);

/// A choice that accepts any seed in place of SEED.
inline constexpr const char* kTorchSeed = "torch:SEED";
/// Seed of a word "torch:N". N is as in torch.manual_seed(): -2^63 to 2^64 - 1, with 2^64 added to
/// negative numbers. Nothing for any other word.
std::optional<std::uint64_t> torch_seed(std::string_view word);
/// Whether the word is one of the choices, or is "torch:N" and one of them is kTorchSeed.
bool is_choice(std::string_view word, const std::vector<std::string>& choices);

/// The candidate closest to `word` in edits (insertion, deletion, replacement, swap of neighbours),
/// or "" if none is close enough: within one edit or a third of the word's length.
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

/// " (did you mean PREFIXname?)" with the nearest candidate; "" if none is close enough.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates,
                       std::string_view prefix = "");

/// The known names in `list` ("a,b,c"), in the order of `known`; "all" selects all of them, an
/// empty list none. Throws InputError naming the option for an unknown name.
std::vector<std::string> names_of_list(const std::string& option, const std::string& list,
                                       const std::vector<std::string>& known);

}  // namespace cdt

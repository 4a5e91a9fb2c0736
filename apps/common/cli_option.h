// One option of a command line and the conversion of its words. Part of cli.cc.
#pragma once

#include <limits>
#include <nlohmann/json.hpp>

#include "apps/common/cli.h"

namespace cdt {

struct Cli::Option {
  std::string name;
  Target target;
  std::string help;
  bool required = false;
  bool set = false;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;

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
  /// The same from a JSON value, which must have the type of the option; strings as
  /// escape_bytes() writes them.
  void assign_json(const nlohmann::json& value, const std::string& file);
};

}  // namespace cdt

#include "apps/train/patterns.h"

#include <algorithm>

#include "apps/common/cli_words.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

constexpr const char* kCommandLine = "command line";
constexpr const char* kFreeze = "--freeze";

/// A name and the modules it is part of: "vce.fusion.0.weight", "vce.fusion.0", "vce.fusion",
/// "vce".
std::vector<std::string> name_and_parts(const std::string& name) {
  std::vector<std::string> out;
  for (std::size_t end = name.size(); end != std::string::npos && end > 0;
       end = name.rfind('.', end - 1)) {
    out.push_back(name.substr(0, end));
  }
  return out;
}

bool names(const std::string& pattern, const std::string& parameter) {
  const std::vector<std::string> all = name_and_parts(parameter);
  return std::any_of(all.begin(), all.end(),
                     [&](const std::string& name) { return matches(pattern, name); });
}

/// Suggests the intended name, or lists the modules there are.
std::string hint(const std::string& pattern, const CdtParameters& model) {
  std::vector<std::string> modules, all;
  for (const Parameter& parameter : model.parameters()) {
    if (modules.empty() || modules.back() != parameter.module) modules.push_back(parameter.module);
    for (const std::string& name : name_and_parts(parameter.name)) all.push_back(name);
  }
  const std::string meant = suggestion(pattern, all);
  return meant.empty() ? "; there are " + joined(modules, ", ") : meant;
}

}  // namespace

bool matches(std::string_view pattern, std::string_view text) {
  constexpr std::size_t kNone = std::string_view::npos;
  std::size_t p = 0, star = kNone, after_star = 0;  // the star matches up to after_star
  for (std::size_t t = 0; t < text.size();) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      after_star = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != kNone) {  // extend the last star by one character
      p = star + 1;
      t = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == kNone;
}

std::set<std::string> parameters_named(const std::string& option,
                                       const std::vector<std::string>& patterns,
                                       const CdtParameters& model) {
  std::set<std::string> out;
  for (const std::string& pattern : patterns) {
    bool any = false;
    for (const Parameter& parameter : model.parameters()) {
      if (!names(pattern, parameter.name)) continue;
      out.insert(parameter.name);
      any = true;
    }
    if (!any) {
      throw InputError(kCommandLine, option,
                       pattern + " names no parameter of the model" + hint(pattern, model));
    }
  }
  return out;
}

std::set<std::string> frozen_parameters(const std::vector<std::string>& patterns,
                                        const CdtParameters& model) {
  std::set<std::string> out = parameters_named(kFreeze, patterns, model);
  if (out.size() == model.parameters().size()) {
    throw InputError(kCommandLine, kFreeze, "freezes all parameters; nothing is left to train");
  }
  return out;
}

}  // namespace cdt

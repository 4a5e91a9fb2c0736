// Findings of an audit: what is unusual in a data set, in numbers and in one sentence that says why
// it matters to a conclusion.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "io/dataset/dataset.h"

namespace cdt {

/// A warning can change a conclusion; a note is something to know.
enum class Severity : std::uint8_t { kNote, kWarning };
const char* severity_name(Severity severity);

struct Finding {
  std::string name;  // its key in audit.json
  Severity severity = Severity::kNote;
  std::string sentence;
  nlohmann::ordered_json numbers;  // an object
};
using Findings = std::vector<Finding>;

/// The finding of this name, or null.
const Finding* find_finding(const Findings& findings, std::string_view name);
std::int64_t count_warnings(const Findings& findings);

/// [{"name", "severity", "sentence", "numbers"}, ...]
nlohmann::ordered_json findings_json(const Findings& findings);
/// Reads that array. Throws InputError naming `source` and the key.
Findings read_findings(const nlohmann::json& json, const std::string& source);

/// Warnings, then notes, each as wrapped lines.
std::string findings_text(const Findings& findings);

/// "1,234 of 5,678 (21.7 %)"
std::string part_of(std::int64_t part, std::int64_t whole);
/// "12.5 %"
std::string percent_text(double share);
/// "1 pair", "5,601 pairs"
std::string counted_text(std::int64_t count, const std::string& noun);
/// "A, B and C" of at most `most` names, then "and N more".
std::string listed(const std::vector<std::string>& names, std::size_t most = 3);
inline double share_of(std::int64_t part, std::int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace cdt

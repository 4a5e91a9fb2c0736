#include "apps/audit/finding.h"

#include <algorithm>

#include "apps/common/tables.h"
#include "engine/error.h"
#include "io/format/text.h"

namespace cdt {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const nlohmann::json& object, const std::string& key, const std::string& source,
                    const std::string& path) {
  const auto found = object.find(key);
  if (found == object.end()) throw InputError(source, path + key, "is missing");
  if (!found->is_string()) throw InputError(source, path + key, "is not a string");
  return found->get<std::string>();
}

Finding read_finding(const nlohmann::json& json, const std::string& source,
                     const std::string& path) {
  if (!json.is_object()) throw InputError(source, path, "is not an object");
  Finding out;
  out.name = text_of(json, "name", source, path + ".");
  out.sentence = text_of(json, "sentence", source, path + ".");
  const std::string severity = text_of(json, "severity", source, path + ".");
  for (const Severity known : {Severity::kNote, Severity::kWarning}) {
    if (severity != severity_name(known)) continue;
    out.severity = known;
    return out;
  }
  throw InputError(source, path + ".severity",
                   expected_got("unknown severity", "note or warning", severity));
}

}  // namespace

const char* severity_name(Severity severity) {
  return severity == Severity::kWarning ? "warning" : "note";
}

const Finding* find_finding(const Findings& findings, std::string_view name) {
  const auto at = std::find_if(findings.begin(), findings.end(),
                               [&](const Finding& finding) { return finding.name == name; });
  return at == findings.end() ? nullptr : &*at;
}

std::int64_t count_warnings(const Findings& findings) {
  return std::count_if(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.severity == Severity::kWarning;
  });
}

Json findings_json(const Findings& findings) {
  Json out = Json::array();
  for (const Finding& finding : findings) {
    out.push_back({{"name", finding.name},
                   {"severity", severity_name(finding.severity)},
                   {"sentence", finding.sentence},
                   {"numbers", finding.numbers}});
  }
  return out;
}

Findings read_findings(const nlohmann::json& json, const std::string& source) {
  if (!json.is_array()) throw InputError(source, "findings", "is not an array");
  Findings out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    out.push_back(read_finding(json[i], source, "findings[" + std::to_string(i) + "]"));
  }
  return out;
}

std::string findings_text(const Findings& findings) {
  std::string out;
  for (const Severity severity : {Severity::kWarning, Severity::kNote}) {
    for (const Finding& finding : findings) {
      if (finding.severity != severity) continue;
      const std::string head = severity == Severity::kWarning ? "WARNING " : "note    ";
      out += wrapped(head, finding.name + ": " + finding.sentence);
    }
  }
  return out.empty() ? "no findings\n" : out;
}

std::string percent_text(double share) { return number_cell(100.0 * share, 0, 1) + " %"; }

std::string part_of(std::int64_t part, std::int64_t whole) {
  return format_with_commas(part) + " of " + format_with_commas(whole) + " (" +
         percent_text(share_of(part, whole)) + ")";
}

std::string counted_text(std::int64_t count, const std::string& noun) {
  return format_with_commas(count) + " " + noun + (count == 1 ? "" : "s");
}

std::string listed(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  const std::size_t shown = std::min(names.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    const bool last = i + 1 == names.size();
    out += (i == 0 ? "" : last ? " and " : ", ") + names[i];
  }
  if (names.size() > shown) {
    out += " and " + format_with_commas(static_cast<std::int64_t>(names.size() - shown)) + " more";
  }
  return out;
}

}  // namespace cdt

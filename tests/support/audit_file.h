// Findings of an audit.json, for tests.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "io/format/json.h"

namespace cdt::test {

/// Numbers of a finding of FOLDER/audit.json, or null if it has no such finding.
inline nlohmann::json finding_numbers(const std::filesystem::path& folder,
                                      const std::string& name) {
  const nlohmann::json audit = parse_json_file(folder / "audit.json");
  for (const nlohmann::json& finding : audit["findings"]) {
    if (finding["name"] == name) return finding["numbers"];
  }
  return {};
}

}  // namespace cdt::test

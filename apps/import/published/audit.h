// What an import found in the published files: written as audit.json and printed.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/import/copy_dna.h"
#include "apps/import/published/placement.h"

namespace cdt {

struct AuditInput {
  const std::string& assembly;
  MissingDna missing;
  std::int64_t genes;
  const GeneMap& map;
  const std::vector<std::int64_t>& dna_shape;  // (rows, L, D)
  const DnaIndex& index;
  const DnaScan& scan;
  const std::vector<ScreenSplit>& splits;
  const Placement& data;
};

/// The audit as it is written; counts are rows (pairs) unless named otherwise, beta in the screen's
/// units, std with divisor n.
nlohmann::ordered_json make_audit(const AuditInput& input);

/// The audit as text, some twenty lines.
std::string audit_text(const nlohmann::ordered_json& audit);

}  // namespace cdt

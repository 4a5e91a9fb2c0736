// Audit of an import of the published files, written as audit.json and printed.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "apps/import/copy_dna.h"
#include "apps/import/place_audit.h"
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
  const PlaceCheck& places;
};

/// The audit as JSON; counts are rows (pairs) unless named otherwise, beta in the units of the
/// screen, std with divisor n.
nlohmann::ordered_json make_audit(const AuditInput& input);

/// The audit as text, about twenty lines.
std::string audit_text(const nlohmann::ordered_json& audit);

}  // namespace cdt
